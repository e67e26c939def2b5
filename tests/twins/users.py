"""The twin of the `users` collection in Firestore."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kupyterhub.domain.claims import Claim
from kupyterhub.domain.differs import Approval
from kupyterhub.domain.errors import DocumentChanged
from kupyterhub.domain.policy import email_of
from kupyterhub.domain.users import Change, UserDocument
from kupyterhub.events import DocumentWrite
from kupyterhub.ports import Clock, Record
from twins.requests import Requests
from twins.server_side_apply import copied

REMOVED = object()
"""As a field's value: the field goes."""
GONE: dict[str, Any] = {}
"""The fields of a version that is no document any more."""
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
    phases: list[tuple[str, str | None]] = field(default_factory=list)
    """User and phase, in order of the changes."""
    history: list[tuple[str, Change]] = field(default_factory=list)
    """What was written into `history`."""
    on_change: list[Callable[[DocumentWrite], None]] = field(default_factory=list)
    _versions: dict[str, _Version] = field(default_factory=dict)
    _past: dict[str, list[_Version]] = field(default_factory=dict)
    _claims: dict[str, Claim] = field(default_factory=dict)
    _asked: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    _answered: dict[str, datetime] = field(default_factory=dict)
    _approval: Approval | None = None
    _last: datetime | None = None

    # What the controller asks (ports.Users).

    def get(self, user: str, at: datetime | None = None) -> UserDocument | None:
        self.requests.note(f"get {user}")
        if at is None:
            return self._document(user) if user in self._versions else None
        then = [version for version in self._past.get(user, []) if version.update_time <= at]
        return _document(user, then[-1]) if then and then[-1].fields is not GONE else None

    def write(self, document: UserDocument, record: Record) -> UserDocument:
        self.requests.note(f"write {document.id}")
        self._expect(document)
        return self._write(document, record)

    def claim(self, name: str) -> Claim | None:
        self.requests.note(f"claim {name}")
        return self._claims.get(name)

    def take(
        self,
        document: UserDocument,
        name: str,
        record: Record,
        blocked: Callable[[UserDocument | None], str | None],
        *,
        before: Claim | None,
        since: datetime,
        purging: bool = False,
    ) -> UserDocument | str:
        self.requests.note(f"take {name} {document.id}")
        self._expect(document)
        if self._claims.get(name) != before:
            raise DocumentChanged(f"names/{name}")
        other = before is not None and before.user != document.id and before.user in self._versions
        if by := blocked(self._document(before.user) if before and other else None):
            return by
        written = self._write(document, record)
        self._last = self._next_time()
        self._claims[name] = Claim(name, document.id, since, self._last, purging)
        return written

    def purge_for_nobody(
        self, name: str, now: datetime, counts: Callable[[Claim, UserDocument], bool]
    ) -> Claim | None:
        self.requests.note(f"take {name}")
        claim = self._claims.get(name)
        if claim and claim.user in self._versions and counts(claim, self._document(claim.user)):
            return None
        self._last = self._next_time()
        self._claims[name] = Claim(name, "", now, self._last, purging=True)
        return self._claims[name]

    def release(self, claim: Claim, counts: Callable[[UserDocument | None], bool]) -> None:
        self.requests.note(f"release {claim.name}")
        holder = self._document(claim.user) if claim.user in self._versions else None
        if self._claims.get(claim.name) == claim and not counts(holder):
            del self._claims[claim.name]

    def has_seen(self, user: str, event: str) -> bool:
        self.requests.note(f"query history {user}")
        return any((of, change.event) == (user, event) for of, change in self.history)

    def claims_of(self, user: str) -> list[Claim]:
        self.requests.note(f"query names {user}")
        return [claim for claim in self._claims.values() if claim.user == user]

    def with_status_email(self, email: str) -> list[UserDocument]:
        self.requests.note(f"query status.email {email}")
        return self._found(lambda fields: _at(fields, "status", "email") == email)

    def with_email(self, email: str) -> list[UserDocument]:
        self.requests.note(f"query email {email}")
        return [document for document in self._found(lambda _: True) if email_of(document) == email]

    def due(self, now: datetime) -> list[str]:
        self.requests.note("query due")
        return [document.id for document in self._found(lambda fields: _is_past(fields, now))]

    def of_other_settings(self, settings: str, most: int) -> list[str]:
        self.requests.note("query settings")
        found = self._found(lambda fields: _at(fields, "status", "settings") not in (None, settings))
        return [document.id for document in found][:most]

    def every(self) -> Iterator[UserDocument]:
        self.requests.note("list")
        yield from self._found(lambda _: True)

    def every_claim(self) -> Iterator[Claim]:
        self.requests.note("list names")
        yield from list(self._claims.values())

    def asked(self, users: list[str], now: datetime, *, thoroughly: bool) -> set[str]:
        self.requests.note("read asked")
        lately = {
            user: how
            for user, (at, how) in self._asked.items()
            if now - at < timedelta(hours=2) and self._answered.get(user, at - _TICK) < at
        }
        return {user for user in users if user in lately and (lately[user] or not thoroughly)}

    def note_asked(self, users: list[str], now: datetime, *, thoroughly: bool) -> None:
        self.requests.note("write asked")
        self._asked.update(dict.fromkeys(users, (now, thoroughly)))

    def note_answered(self, user: str, now: datetime) -> None:
        self.requests.note(f"answered {user}")
        self._answered[user] = now

    def approval(self) -> Approval | None:
        self.requests.note("read approval")
        return self._approval

    def approve(self, approval: Approval) -> None:
        self.requests.note("write approval")
        self._approval = approval

    # What people and their programs do.

    def set(self, user: str, **fields: Any) -> UserDocument:
        """Create the document, or merge fields into it; None is kept as null, and `REMOVED` removes a field."""
        merged = {**self._fields(user), **fields} if user in self._versions else fields
        self._put(user, {key: value for key, value in merged.items() if value is not REMOVED})
        return self._document(user)

    def overwrite(self, user: str, **fields: Any) -> UserDocument:
        """Write the document whole, as most clients' `set` does: what is not given is gone, the status too."""
        self._put(user, fields)
        return self._document(user)

    def remove(self, user: str) -> None:
        """Delete the document; one that is gone already is success."""
        if stored := self._versions.pop(user, None):
            self._last = self._next_time()
            self._past[user].append(_Version(GONE, self._last, self._last))
            self._tell(user, stored.fields, None)

    def lose_claim(self, name: str) -> None:
        """What a restore of documents without `names` does."""
        self._claims.pop(name, None)

    def put_claim(self, name: str, user: str, *, purging: bool = False, since: datetime | None = None) -> None:
        """What somebody who edits `names`, or restores it, does."""
        self._last = self._next_time()
        self._claims[name] = Claim(name, user, since or self._last, self._last, purging)

    def claims(self) -> dict[str, str]:
        """Who holds which name."""
        return {name: claim.user for name, claim in self._claims.items()}

    def peek(self, user: str) -> UserDocument:
        """The document as it is, unnoticed."""
        return self._document(user)

    def ids(self) -> list[str]:
        """Ids of all documents."""
        return sorted(self._versions)

    # Inside.

    def _expect(self, document: UserDocument) -> None:
        stored = self._versions.get(document.id)
        if stored is None or stored.update_time != document.update_time:
            raise DocumentChanged(document.id)

    def _write(self, document: UserDocument, record: Record) -> UserDocument:
        if record.release:
            if self._claims.get(record.release.name) != record.release:
                raise DocumentChanged(f"names/{record.release.name}")
            del self._claims[record.release.name]
        if record.status.phase != _at(self._fields(document.id), "status", "phase"):
            self.phases.append((document.id, record.status.phase))
        self.history += [(document.id, change) for change in record.history]
        written = document.with_status(record.status, **dict(record.fields))
        self._put(document.id, {**written.fields, "status": record.status.as_document()})
        return self._document(document.id)

    def _fields(self, user: str) -> dict[str, Any]:
        return copied(self._versions[user].fields)

    def _document(self, user: str) -> UserDocument:
        return _document(user, self._versions[user])

    def _found(self, fits: Callable[[dict[str, Any]], bool]) -> list[UserDocument]:
        return [self._document(user) for user in self.ids() if fits(self._versions[user].fields)]

    def _put(self, user: str, fields: dict[str, Any]) -> None:
        before = self._versions.get(user)
        if before is not None and before.fields == fields:
            return
        self._last = now = self._next_time()
        self._versions[user] = _Version(copied(fields), before.create_time if before else now, now)
        self._past.setdefault(user, []).append(self._versions[user])
        self._tell(user, before.fields if before else None, fields)

    def _next_time(self) -> datetime:
        return self.clock() if self._last is None else max(self.clock(), self._last + _TICK)

    def _tell(self, user: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        email = _at(old or {}, "status", "email")
        for each in self.on_change:
            each(DocumentWrite(user, old=_encoded(old), new=_encoded(new), old_email=email))


def _document(user: str, stored: _Version) -> UserDocument:
    return UserDocument(user, copied(stored.fields), stored.create_time, stored.update_time)


def _encoded(fields: dict[str, Any] | None) -> dict[str, bytes] | None:
    """As the event has them, without those that say nothing."""
    if fields is None:
        return None
    status = fields.get("status")
    said = fields if isinstance(status, dict) and status else {k: v for k, v in fields.items() if k != "status"}
    return {name: repr(value).encode() for name, value in said.items() if value is not None}


def _at(fields: dict[str, Any], *path: str) -> Any:
    found: Any = fields
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _is_past(fields: dict[str, Any], now: datetime) -> bool:
    moment = _at(fields, "status", "nextLookAt")
    return isinstance(moment, datetime) and moment <= now
