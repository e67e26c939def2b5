"""Events that wait, and instances of functions, each standing before a request until it is told to go on.

An instance is a greenlet: it runs until its next request is about to take effect, and then waits while others do
whatever they do. Which one goes on, which dies and which event is lost is decided by whoever plays the history.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from greenlet import getcurrent, greenlet

from kupyterhub.domain.errors import DocumentChanged, TransientError

Answer = Literal["lost", "lost, and tried again"]
WRITES = {
    "write",
    "take",
    "purge_for_nobody",
    "release",
    "note_asked",
    "note_answered",
    "approve",
    "create",
    "apply",
    "annotate",
    "delete",
    "resize_claim",
    "delete_claim",
    "ask_to_reconcile",
}
_CONDITIONAL = {"write", "take", "purge_for_nobody"}
"""Firestore's client tries these again by itself, and then meets the version that it has written."""
TO_ITS_END = 0


class Killed(BaseException):
    """The instance is no more; nothing in it may notice."""


@dataclass(frozen=True)
class Event:
    """What a platform delivers until it is acknowledged."""

    name: str
    deliver: Callable[[], object]
    published: datetime | None = None
    """Of a message."""
    message: Any = None


class Instance(greenlet):
    """One delivery of an event, under way."""

    def __init__(self, event: Event, number: int, started: int) -> None:
        super().__init__(self._work)
        self.event, self.number, self.started = event, number, started
        self.before = ""
        """The request that it stands before."""
        self.pauses_in: int | None = None
        self.answer: Answer | None = None
        self.failed: TransientError | None = None

    def __str__(self) -> str:
        return f"{self.event.name} #{self.number}"

    def _work(self) -> None:
        try:
            self.event.deliver()
        except TransientError as e:
            self.failed = e
        except Killed as e:
            self.failed = TransientError(f"killed before {self.before}")
            self.failed.__cause__ = e


@dataclass
class Deliveries:
    """Everything that is on its way, and whoever carries it."""

    ticks: Callable[[], int]
    after_write: Callable[[Instance | None, str, tuple[Any, ...], Any], None]
    waiting: list[Event] = field(default_factory=list)
    paused: list[Instance] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """The history as it happened, for whoever has to understand one."""
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, event: Event) -> None:
        """Let an event wait for its delivery."""
        self.waiting.append(event)
        self.counts["events"] += 1

    def deliver(self, which: int, requests: int) -> None:
        """Deliver a waiting event; its instance pauses before so many requests more, if it is not done by then."""
        event = self.waiting.pop(which % len(self.waiting))
        self.counts["deliveries"] += 1
        instance = Instance(event, self.counts["deliveries"], self.ticks())
        self.lines.append(f"{instance} is delivered")
        self._run(instance, requests)

    def go_on(self, which: int, requests: int, answer: Answer | None = None) -> None:
        """Let a paused instance go on; the answer to its next write may be lost."""
        instance = self.paused.pop(which % len(self.paused))
        self.lines.append(f"{instance} goes on" + (f", and the next answer is {answer}" if answer else ""))
        instance.answer = answer
        self._run(instance, requests)

    def die(self, which: int) -> None:
        """End a paused instance before its request takes effect; its event is delivered again."""
        instance = self.paused.pop(which % len(self.paused))
        self.lines.append(f"{instance} dies before {instance.before}")
        self.counts["deaths"] += 1
        instance.throw(Killed())
        self._ended(instance)

    def lose(self, which: int) -> None:
        """Lose a waiting event for good."""
        event = self.waiting.pop(which % len(self.waiting))
        self.lines.append(f"{event.name} is lost")
        self.counts["lost"] += 1

    def double(self, which: int) -> None:
        """Deliver a waiting event twice."""
        event = self.waiting[which % len(self.waiting)]
        self.lines.append(f"{event.name} is doubled")
        self.counts["doubled"] += 1
        self.waiting.append(event)

    def forget(self) -> None:
        """End all that is under way without a trace."""
        for instance in self.paused:
            instance.throw(Killed())
        self.paused.clear()

    def before(self, request: str) -> None:
        """A request is about to take effect."""
        instance = getcurrent()
        if not isinstance(instance, Instance):
            return
        self.counts["requests"] += 1
        if instance.pauses_in is not None:
            instance.pauses_in -= 1
            if instance.pauses_in == 0:
                instance.before = request
                assert instance.parent is not None
                instance.parent.switch()
        self.lines.append(f"    #{instance.number} {request}")

    def after(self, name: str, args: tuple[Any, ...], answer: Any) -> None:
        """A write has taken effect; whether its instance learns of that is another matter."""
        current = getcurrent()
        instance = current if isinstance(current, Instance) else None
        self.after_write(instance, name, args, answer)
        if instance is None or instance.answer is None:
            return
        how, instance.answer = instance.answer, None
        self.counts["answers lost"] += 1
        self.lines.append(f"    #{instance.number} the answer to {name} is {how}")
        if how == "lost, and tried again" and name in _CONDITIONAL:
            raise DocumentChanged("it is what was just written")
        raise TransientError(f"the answer to {name} was lost")

    def _run(self, instance: Instance, requests: int) -> None:
        instance.pauses_in = requests or None
        instance.parent = getcurrent()
        self.counts["cut-ins"] += bool(self.paused)
        instance.switch()
        if instance.dead:
            self._ended(instance)
        else:
            self.lines.append(f"{instance} pauses before {instance.before}")
            self.counts["pauses"] += 1
            self.paused.append(instance)

    def _ended(self, instance: Instance) -> None:
        if instance.failed:
            self.lines.append(f"{instance} is to be delivered again: {instance.failed}")
            self.waiting.append(instance.event)
        else:
            self.lines.append(f"{instance} is done")


@dataclass(frozen=True)
class Port:
    """A twin whose answers may be lost."""

    twin: Any
    deliveries: Deliveries

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.twin, name)
        if name not in WRITES:
            return method

        def write(*args: Any, **kwargs: Any) -> Any:
            answer = method(*args, **kwargs)
            self.deliveries.after(name, args, answer)
            return answer

        return write
