"""A users document as it was read, and the status that the controller writes into it.

The document belongs to people: any field can hold anything, so nothing here validates (policy.py judges).
"""

import hashlib
import json
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Self

OBSERVED_FIELDS = ("email", "expiresAt", "image", "profile", "state")
_MAX_TERMS = 500


@dataclass(frozen=True)
class Agent:
    """The last accepted announcement of a user's agent (`status.agent`)."""

    proxyUrl: str  # noqa: N815 - the document's own field names, as in Status
    instance: str
    registeredAt: datetime  # noqa: N815
    sentAt: datetime | None = field(default=None, compare=False)  # noqa: N815
    """Tells which of two is the later one; being sent again makes no other of it."""


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

    @classmethod
    def of(cls, stored: Any) -> Self:
        """Read what is stored; a field of another type counts as absent, since a person may have edited it."""
        source = stored if isinstance(stored, dict) else {}
        values: dict[str, Any] = {}
        for name in _TEXTS:
            values[name] = _typed(source.get(name), str)
        for name in _TIMES:
            values[name] = _typed(source.get(name), datetime)
        terms = source.get("terms")
        agent = source.get("agent")
        return cls(
            **values,
            terms=tuple(str(term) for term in terms) if isinstance(terms, list) else (),
            agent=_agent(agent) if isinstance(agent, dict) else None,
        )

    def as_document(self) -> dict[str, Any]:
        """What Firestore stores: absent fields are left out."""
        stored = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, ())}
        if self.agent:
            agent = {f.name: getattr(self.agent, f.name) for f in fields(self.agent)}
            stored["agent"] = {name: value for name, value in agent.items() if value is not None}
        if self.terms:
            stored["terms"] = list(self.terms)
        return stored


_TIMES = ("emailSince", "startedAt", "restartedAt", "deletedAt", "updatedAt", "lastActivity", "nextLookAt")
_TEXTS = tuple(f.name for f in fields(Status) if f.name not in {*_TIMES, "agent", "terms"})


def _typed(value: Any, kind: type) -> Any:
    return value if isinstance(value, kind) else None


def _agent(stored: dict[str, Any]) -> Agent | None:
    url, instance, since = stored.get("proxyUrl"), stored.get("instance"), stored.get("registeredAt")
    if isinstance(url, str) and isinstance(instance, str) and isinstance(since, datetime):
        return Agent(url, instance, since, _typed(stored.get("sentAt"), datetime))
    return None


@dataclass(frozen=True)
class UserDocument:
    """One version of `users/{id}`."""

    id: str
    fields: dict[str, Any]
    create_time: datetime
    update_time: datetime
    status: Status = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", Status.of(self.fields.get("status")))

    @property
    def observed(self) -> str:
        """`status.observed` of this version: a hash of the fields that are acted on, as they are stored."""
        return observed(self.fields)

    def with_status(self, status: Status, **changed: Any) -> Self:
        """This document after a write of `status` and of `changed` (None removes a field)."""
        merged = {**self.fields, **changed, "status": status.as_document()}
        return replace(self, fields={key: value for key, value in merged.items() if value is not None})


def observed(stored: dict[str, Any]) -> str:
    """First 16 hex of the SHA-256 of compact JSON of the fields that are acted on; absent ones are left out."""
    seen = {name: stored[name] for name in OBSERVED_FIELDS if stored.get(name) is not None}
    text = json.dumps(seen, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_as_text)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def rfc3339(moment: datetime) -> str:
    """UTC with microseconds, such as 2026-01-31T08:00:00.000000Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _as_text(value: Any) -> str:
    # Some of Firestore's values say in `repr` where they are in memory, which is another place in every look.
    return rfc3339(value) if isinstance(value, datetime) else type(value).__name__


def search_terms(*texts: Any) -> tuple[str, ...]:
    """`status.terms`: the trigrams of some texts, lower-case and sorted, for `array-contains` searches."""
    found = {
        text[start : start + 3]
        for text in (each.lower() for each in texts if isinstance(each, str))
        for start in range(len(text) - 2)
    }
    return tuple(sorted(found)[:_MAX_TERMS])
