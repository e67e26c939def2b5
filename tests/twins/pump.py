"""Delivers what the twins' changes raise, as Eventarc and Pub/Sub do: at least once, late, and in any order."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from kupyterhub.domain.errors import TransientError
from kupyterhub.events import DocumentWrite, Look, look_of_write
from twins.world import World

Order = Literal["forward", "reverse", "random"]
Event = tuple[str, Callable[[], object]]
_MOST = 4000


@dataclass
class Pump:
    """The events of one world, each delivered up to three times.

    Before a request another look cuts in as often as `overlap` says, and a function is killed as often as `faults`.
    """

    world: World
    order: Order = "forward"
    seed: int = 0
    copies: int = 3
    overlap: float = 0.0
    faults: float = 0.0
    delivered: list[str] = field(default_factory=list)
    _events: list[Event] = field(default_factory=list)
    _depth: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable on purpose
        self.world.users.on_change.append(self._changed)
        for requests in (self.world.users.requests, self.world.cluster.requests, self.world.bus.requests):
            requests.always.append(self._cut_in)

    def add(self, name: str, act: Callable[[], object]) -> None:
        """Let an event be delivered later, as often as events are."""
        self._events += [(name, act)] * self._random.randint(1, self.copies)

    def some(self, most: int) -> None:
        """Deliver a few of the waiting events."""
        for _ in range(self._random.randint(0, most)):
            self._one()

    def until_quiet(self) -> None:
        """Deliver until nothing is left; what fails is delivered again."""
        for _ in range(_MOST):
            if not self._one():
                return
        raise AssertionError(f"still not quiet; at last: {self.delivered[-20:]}")

    def _one(self) -> bool:
        for user in self.world.bus.take():
            self.add(f"reconcile-user {user}", partial(self.world.answer, user))
        if not self._events:
            return False
        self.world.clock.move(seconds=self._random.choice([0, 0, 1, 7]))
        index = {"forward": 0, "reverse": -1, "random": self._random.randrange(len(self._events))}[self.order]
        name, act = self._events.pop(index)
        self.delivered.append("  " * self._depth + name)
        self._depth += 1
        try:
            act()
        except TransientError:
            # Until it is delivered again, Kubernetes does its part.
            self.world.cluster.settle()
            self._events.append((name, act))
        finally:
            self._depth -= 1
        return True

    def _changed(self, write: DocumentWrite) -> None:
        if look := look_of_write(write):
            self.add(_named(look), partial(self.world.reconciler.reconcile, look))

    def _cut_in(self, request: str) -> None:
        if self.overlap and 0 < self._depth <= 2 and self._random.random() < self.overlap:
            self.delivered.append("  " * self._depth + f"(before {request})")
            self._one()
        if self.faults and self._depth and self._random.random() < self.faults:
            raise TransientError(f"killed before {request}")


def _named(look: Look) -> str:
    return f"written {look.user}{' (gone)' if look.email else ''}"
