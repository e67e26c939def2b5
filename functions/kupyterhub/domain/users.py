"""A users document as it was read, and the status that the controller writes into it.

The document belongs to people: any field can hold anything, so it is read as `wishes`, and policy.py judges.
"""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Self

from kupyterhub.domain.wishes import EPOCH, Wishes
from kupyterhub_rules.stored import observed

_MAX_TERMS = 500
CLOCKS_DIFFER = timedelta(minutes=5)
"""By at most so much: what lies further ahead was not written by a clock."""
KEPT = timedelta(days=90)
"""How long an entry of `history` is kept (infra/gcp/data/firestore.tf has the policy that removes it)."""
AT_REST = ("Stopped", "Deleted", "Rejected")
_MOST_CHANGES = 10


@dataclass(frozen=True)
class Agent:
    """The last accepted announcement of a user's agent (`status.agent`)."""

    proxyUrl: str  # noqa: N815 - the document's own field names, as in Status
    instance: str
    registeredAt: datetime  # noqa: N815
    sentAt: datetime | None = field(default=None, compare=False)  # noqa: N815
    """Tells which of two is the later one; being sent again makes no other of it."""


@dataclass(frozen=True)
class Change:
    """One change of phase (`status.changes`, later an entry of `history`)."""

    phase: str | None
    at: datetime
    reason: str | None = None
    message: str | None = None
    event: str | None = None
    """Which event caused it: the function and the event's id."""

    def as_document(self) -> dict[str, Any]:
        """What Firestore stores."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}


@dataclass(frozen=True)
class Status:
    """`status` of a users document, field by field; None is absent."""

    # The names are the document's: one spelling for a thing that people see in Firestore.
    phase: str | None = None
    proxyUrl: str | None = None  # noqa: N815
    name: str | None = None
    email: str | None = None
    reason: str | None = None
    message: str | None = None
    observed: str | None = None
    emailSince: datetime | None = None  # noqa: N815
    agent: Agent | None = None
    startedAt: datetime | None = None  # noqa: N815
    restartedAt: datetime | None = None  # noqa: N815
    deletedAt: datetime | None = None  # noqa: N815
    updatedAt: datetime | None = None  # noqa: N815
    lastActivity: datetime | None = None  # noqa: N815
    nextLookAt: datetime | None = None  # noqa: N815
    settings: str | None = None
    terms: tuple[str, ...] = ()
    cluster: str | None = None
    changes: tuple[Change, ...] = ()
    """Changes of phase that are not in `history` yet: what starts is written once, not twice."""

    @classmethod
    def of(cls, stored: Any, written: datetime) -> Self:
        """Read what is stored and was last written at a time.

        A person may have edited it: a field of another type, or a past that was still to come, counts as absent.
        """
        source = stored if isinstance(stored, dict) else {}
        values: dict[str, Any] = {}
        for name in _TEXTS:
            values[name] = _typed(source.get(name), str)
        for name in _TIMES:
            values[name] = _past(source.get(name), written)
        soon, terms, agent, changes = (source.get(name) for name in ("nextLookAt", "terms", "agent", "changes"))
        return cls(
            **values,
            nextLookAt=soon if isinstance(soon, datetime) and soon > EPOCH else None,
            terms=tuple(str(term) for term in terms) if isinstance(terms, list) else (),
            agent=_agent(agent, written) if isinstance(agent, dict) else None,
            changes=tuple(filter(None, (_change(each, written) for each in changes)))
            if isinstance(changes, list)
            else (),
        )

    def as_document(self) -> dict[str, Any]:
        """What Firestore stores: absent fields are left out."""
        stored = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, ())}
        if self.agent:
            agent = {f.name: getattr(self.agent, f.name) for f in fields(self.agent)}
            stored["agent"] = {name: value for name, value in agent.items() if value is not None}
        if self.terms:
            stored["terms"] = list(self.terms)
        if self.changes:
            stored["changes"] = [change.as_document() for change in self.changes]
        return stored

    def after(self, before: Self, event: str | None) -> tuple[Self, tuple[Change, ...]]:
        """This status with the change of phase that it makes, and the changes that now belong into `history`.

        They go there together once somebody comes to rest: a class that starts at one minute writes less.
        """
        if self.phase == before.phase or self.updatedAt is None:
            return self, ()
        change = Change(self.phase, self.updatedAt, self.reason, self.message, event)
        changes = (*self.changes, change)
        if self.phase in AT_REST:
            return replace(self, changes=()), changes
        if len(changes) >= _MOST_CHANGES:
            # Since when it is so, is asked of the last one.
            return replace(self, changes=changes[-1:]), changes[:-1]
        return replace(self, changes=changes), ()


_TIMES = ("emailSince", "startedAt", "restartedAt", "deletedAt", "updatedAt", "lastActivity")
_TEXTS = tuple(f.name for f in fields(Status) if f.name not in {*_TIMES, "nextLookAt", "agent", "terms", "changes"})


def _typed(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None


def _past(value: Any, written: datetime) -> datetime | None:
    return value if isinstance(value, datetime) and EPOCH < value <= written + CLOCKS_DIFFER else None


def _agent(stored: dict[str, Any], written: datetime) -> Agent | None:
    url, instance, since = stored.get("proxyUrl"), stored.get("instance"), _past(stored.get("registeredAt"), written)
    if isinstance(url, str) and isinstance(instance, str) and since is not None:
        return Agent(url, instance, since, _past(stored.get("sentAt"), written))
    return None


def _change(stored: Any, written: datetime) -> Change | None:
    at = _past(stored.get("at"), written) if isinstance(stored, dict) else None
    if at is None:
        return None
    return Change(at=at, **{f.name: _typed(stored.get(f.name), str) for f in fields(Change) if f.name != "at"})


@dataclass(frozen=True)
class UserDocument:
    """One version of `users/{id}`."""

    id: str
    fields: dict[str, Any]
    create_time: datetime
    update_time: datetime
    status: Status = field(init=False)
    wishes: Wishes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status.of(self.fields.get("status"), self.update_time))
        object.__setattr__(self, "wishes", Wishes.of(self.fields))

    @property
    def observed(self) -> str:
        """`status.observed` of this version: a hash of the fields that are acted on, as they are stored."""
        return observed(self.fields)

    def with_status(self, status: Status, **changed: Any) -> Self:
        """This document after a write of `status` and of `changed` (None removes a field)."""
        merged = {**self.fields, **changed, "status": status.as_document()}
        return replace(self, fields={key: value for key, value in merged.items() if value is not None})


def search_terms(*texts: Any) -> tuple[str, ...]:
    """`status.terms`: the trigrams of some texts, lower-case and sorted, for `array-contains` searches."""
    found = {
        text[start : start + 3]
        for text in (each.lower() for each in texts if isinstance(each, str))
        for start in range(len(text) - 2)
    }
    return tuple(sorted(found)[:_MAX_TERMS])
