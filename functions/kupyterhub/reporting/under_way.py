"""The event that this thread works on: whom it is about, and how many requests it has made of which system.

Adapters count here, and whoever learns the user says so; reporting.py reads it at the end. Outside of an event, as in
most tests, nothing is kept.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, Literal, get_args

System = Literal["kubernetes", "firestore", "pubsub"]


class Work:
    """What is known of one event so far; threads that run in a copy of its context share it."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        """`fields` are what every line says that is logged meanwhile."""
        self.fields = fields
        self.user: str | None = None
        self._requests: dict[System, int] = dict.fromkeys(get_args(System), 0)
        self._lock = Lock()

    @property
    def requests(self) -> dict[System, int]:
        """Requests so far, by system; 0 where there were none."""
        with self._lock:
            return dict(self._requests)

    def count(self, system: System) -> None:
        """One more request."""
        with self._lock:
            self._requests[system] += 1


_work: ContextVar[Work | None] = ContextVar("work", default=None)


@contextmanager
def event(fields: Mapping[str, Any]) -> Iterator[Work]:
    """Work on an event."""
    work = Work(fields)
    token = _work.set(work)
    try:
        yield work
    finally:
        _work.reset(token)


def count(system: System) -> None:
    """Count a request that is about to be made, whether or not it is answered."""
    if work := _work.get():
        work.count(system)


def about(user: str) -> None:
    """Say whom the event is about, as soon as that is known: a line about what is raised then names them, too."""
    if work := _work.get():
        work.user = user


def fields() -> Mapping[str, Any]:
    """What every line says; nothing outside of an event."""
    work = _work.get()
    return work.fields if work else {}
