"""The twin of the `users` collection in Firestore."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kupyterhub.domain.errors import DocumentChanged
from kupyterhub.domain.users import Status, UserDocument
from kupyterhub.events import DocumentWrite
from kupyterhub.ports import Clock
from twins.requests import Requests

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class _Version:
    fields: dict[str, Any]
    create_time: datetime
    update_time: datetime


@dataclass
class FakeUsers:
    """Documents with create and update times, preconditions, history, and an event for each change.

    As in Firestore, every change has an update time of its own, and a write that changes nothing moves no
    update time and raises no event.
    """

    clock: Clock
    requests: Requests = field(default_factory=Requests)
    history: list[tuple[str, str | None]] = field(default_factory=list)
    """User and phase, in order of the changes."""
    on_change: list[Callable[[DocumentWrite], None]] = field(default_factory=list)
    _versions: dict[str, _Version] = field(default_factory=dict)
    _last: datetime | None = None

    # What the controller asks (ports.Users).

    def get(self, user: str) -> UserDocument | None:
        self.requests.note(f"get {user}")
        return self._document(user) if user in self._versions else None

    def write(self, document: UserDocument, status: Status, **changed: Any) -> UserDocument:
        self.requests.note(f"write {document.id}")
        stored = self._versions.get(document.id)
        if stored is None or stored.update_time != document.update_time:
            raise DocumentChanged(document.id)
        if status.phase != document.status.phase:
            self.history.append((document.id, status.phase))
        written = document.with_status(status, **changed)
        self._put(document.id, {**written.fields, "status": status.as_document()})
        return self._document(document.id)

    def with_status_email(self, email: str) -> list[UserDocument]:
        self.requests.note(f"query status.email {email}")
        return self._found(lambda fields: _at(fields, "status", "email") == email)

    def with_email(self, spellings: Iterable[str]) -> list[UserDocument]:
        asked = list(spellings)
        self.requests.note(f"query email {' '.join(sorted(asked))}")
        return self._found(lambda fields: fields.get("email") in asked)

    def due(self, now: datetime) -> list[str]:
        self.requests.note("query due")
        return [document.id for document in self._found(lambda fields: _is_past(fields, now))]

    def every(self) -> Iterator[UserDocument]:
        self.requests.note("list")
        yield from self._found(lambda _: True)

    def forget_observed(self, user: str) -> None:
        self.requests.note(f"forget_observed {user}")
        if user not in self._versions:
            return
        fields = self._fields(user)
        if isinstance(status := fields.get("status"), dict):
            kept = {key: value for key, value in status.items() if key != "observed"}
            fields["status"] = {**kept, "updatedAt": self._next_time()}
        self._put(user, fields)

    # What people and their programs do.

    def set(self, user: str, **fields: Any) -> UserDocument:
        """Create the document, or merge fields into it; None removes a field."""
        merged = {**self._fields(user), **fields} if user in self._versions else fields
        self._put(user, {key: value for key, value in merged.items() if value is not None})
        return self._document(user)

    def remove(self, user: str) -> None:
        """Delete the document; one that is gone already is success."""
        if stored := self._versions.pop(user, None):
            self._tell(user, stored.fields, None)

    def peek(self, user: str) -> UserDocument:
        """The document as it is, unnoticed."""
        return self._document(user)

    def ids(self) -> list[str]:
        """Ids of all documents."""
        return sorted(self._versions)

    # Inside.

    def _fields(self, user: str) -> dict[str, Any]:
        return deepcopy(self._versions[user].fields)

    def _document(self, user: str) -> UserDocument:
        stored = self._versions[user]
        return UserDocument(user, deepcopy(stored.fields), stored.create_time, stored.update_time)

    def _found(self, fits: Callable[[dict[str, Any]], bool]) -> list[UserDocument]:
        return [self._document(user) for user in self.ids() if fits(self._versions[user].fields)]

    def _put(self, user: str, fields: dict[str, Any]) -> None:
        before = self._versions.get(user)
        if before is not None and before.fields == fields:
            return
        self._last = now = self._next_time()
        self._versions[user] = _Version(deepcopy(fields), before.create_time if before else now, now)
        self._tell(user, before.fields if before else None, fields)

    def _next_time(self) -> datetime:
        return self.clock() if self._last is None else max(self.clock(), self._last + _TICK)

    def _tell(self, user: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        email = _at(old or {}, "status", "email")
        for each in self.on_change:
            each(DocumentWrite(user, old=_encoded(old), new=_encoded(new), old_email=email))


def _encoded(fields: dict[str, Any] | None) -> dict[str, bytes] | None:
    return None if fields is None else {name: repr(value).encode() for name, value in fields.items()}


def _at(fields: dict[str, Any], *path: str) -> Any:
    found: Any = fields
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _is_past(fields: dict[str, Any], now: datetime) -> bool:
    moment = _at(fields, "status", "nextLookAt")
    return isinstance(moment, datetime) and moment <= now
