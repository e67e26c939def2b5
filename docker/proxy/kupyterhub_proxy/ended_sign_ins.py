"""The sign-ins that ended before their time, as one replica knows them; pure. `SignOuts` learns of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from kupyterhub_proxy.visitor import Visitor

KEPT = 32
"""Most of one person that are kept one by one."""

_FORGETTING = timedelta(minutes=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


class Ended(NamedTuple):
    """One of them, and the word by which replicas tell each other."""

    visitor: Visitor
    word: str


@dataclass(slots=True)
class _OfPerson:
    by_sign_in: dict[str, Ended] = field(default_factory=dict)
    before: datetime = _NEVER
    """What began no later has ended too."""
    before_until: datetime = _NEVER
    """When all of that is over by itself."""


class EndedSignIns:
    """Keeps each until its time. Somebody who signs out again and again loses their older sign-ins with it."""

    def __init__(self) -> None:
        self._people: dict[str, _OfPerson] = {}
        self._forgot_at = _NEVER

    def has(self, visitor: Visitor) -> bool:
        """Whether a sign-in has ended."""
        person = self._people.get(visitor.email)
        return person is not None and (visitor.sign_in in person.by_sign_in or visitor.began <= person.before)

    def add(self, ended: Ended, now: datetime) -> None:
        """Take one in; those whose time is over are forgotten."""
        if now - self._forgot_at >= _FORGETTING:
            self._forget(now)
        person = self._people.setdefault(ended.visitor.email, _OfPerson())
        person.by_sign_in[ended.visitor.sign_in] = ended
        if len(person.by_sign_in) > KEPT:
            oldest = min((each.visitor for each in person.by_sign_in.values()), key=lambda visitor: visitor.began)
            person.before = max(person.before, oldest.began)
            person.before_until = max(person.before_until, oldest.until)
            del person.by_sign_in[oldest.sign_in]

    def of(self, email: str) -> Collection[Ended]:
        """Give those of a person."""
        person = self._people.get(email)
        return tuple(person.by_sign_in.values()) if person is not None else ()

    def _forget(self, now: datetime) -> None:
        self._forgot_at = now
        for email, person in list(self._people.items()):
            person.by_sign_in = {key: ended for key, ended in person.by_sign_in.items() if now < ended.visitor.until}
            if not person.by_sign_in and now >= person.before_until:
                del self._people[email]
