"""A network that fails: which call goes wrong and how, decided by a seed, and what was called, counted.

faulty_kubernetes.py and faulty_google.py are the proxies that do it; who calls is in faulty_functions.py.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from threading import Lock
from typing import Literal, NamedTuple

System = Literal["kubernetes", "firestore", "pubsub"]
SHARE = 0.3


def chance(*seed: object) -> Random:
    """The same chances for the same seed."""
    return Random(" ".join(map(str, seed)))  # noqa: S311 - no secret


class Fault(NamedTuple):
    """One way in which a call goes wrong, before or after it took effect."""

    how: str
    after: bool = False

    def __str__(self) -> str:
        return f"{self.how} {'after' if self.after else 'before'} it took effect"


class Effect(NamedTuple):
    """A call that took effect, whether or not who made it learns of that."""

    system: System
    call: str
    body: bytes


class Try(NamedTuple):
    """One of the times that a request was sent."""

    at: float
    fault: Fault | None


@dataclass
class Faults:
    """Chooses for every call; the same seed chooses the same for the n-th call of one text."""

    seed: int
    share: float = SHARE
    calls: Counter[System] = field(default_factory=Counter)
    used: Counter[tuple[System, Fault]] = field(default_factory=Counter)
    _asked: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def next(self, system: System, call: str, kinds: Sequence[Fault]) -> Fault | None:
        """How this call goes wrong; None for most."""
        with self._lock:
            self.calls[system] += 1
            self._asked[call] += 1
            fault = self._choose(f"{call} {self._asked[call]}", kinds)
            if fault:
                self.used[system, fault] += 1
            return fault

    def _choose(self, call: str, kinds: Sequence[Fault]) -> Fault | None:
        of_call = chance(self.seed, call)
        return of_call.choice(kinds) if of_call.random() < self.share else None


@dataclass
class Once(Faults):
    """One call goes wrong: the one of a number, in the way of a number; others can be tried one after the other."""

    number: int = 0
    way: int = 0
    only: frozenset[Fault] | None = None
    """Ways that are tried; None for all."""
    what: str | None = None
    """What went wrong how."""
    _ways: int = 0
    """In how many ways the call could; 0 where there was no such call."""

    @property
    def over(self) -> bool:
        """Whether there was no such call."""
        return self.calls.total() <= self.number

    @property
    def following(self) -> tuple[int, int]:
        """Number and way to try next."""
        return (self.number, self.way + 1) if self.way + 1 < self._ways else (self.number + 1, 0)

    def _choose(self, call: str, kinds: Sequence[Fault]) -> Fault | None:
        if self.calls.total() != self.number + 1:
            return None
        ways = [kind for kind in kinds if self.only is None or kind in self.only]
        self._ways = len(ways)
        if self.way >= len(ways):
            return None
        self.what = f"{call} {ways[self.way]}"
        return ways[self.way]


@dataclass
class Wire:
    """The connections of one instance, which does one thing at a time."""

    faults: Faults
    took_effect: Callable[[Effect], None]
    calls: Counter[System] = field(default_factory=Counter)
    tries: list[list[Try]] = field(default_factory=list)
    """Of each request to the API server, those that its client made."""

    def next(self, system: System, call: str, kinds: Sequence[Fault]) -> Fault | None:
        """Count a call, and say how it goes wrong."""
        self.calls[system] += 1
        fault = self.faults.next(system, call, kinds)
        if system == "kubernetes":
            self.tries[-1].append(Try(time.monotonic(), fault))
        return fault
