"""The `users` collection in Firestore, and the events that Firestore sends about it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import product
from typing import Any, TypeVar

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore import WriteBatch
from google.cloud.firestore_v1.base_query import And, BaseFilter, FieldFilter, Or
from google.events.cloud.firestore import DocumentEventData

from kupyterhub.domain.claims import Claim
from kupyterhub.domain.differs import Approval
from kupyterhub.domain.errors import BadMessage, DocumentChanged, DocumentRefused, TransientError
from kupyterhub.domain.policy import email_of
from kupyterhub.domain.users import KEPT, UserDocument
from kupyterhub.events import DocumentWrite, is_document_id
from kupyterhub.ports import Record
from kupyterhub.reporting.under_way import count

COLLECTION = "users"
_SECONDS = 10.0
_LISTING_SECONDS = 60.0
_ATTEMPTS = 3
_WRITES = 500
_ASKED_LASTS = timedelta(hours=2)
"""A message that was not handled for so long is taken for lost, and its user is asked for again."""
_LETTERS = 4
"""Of an e-mail: each has two cases, and Firestore takes thirty conditions."""
_LAST = "\uf8ff"
_BEFORE_LETTERS = [("\t", "!"), ("\u0085", "\u00a1"), ("\u1680", "\u1681"), ("\u2000", "\u3001")]
"""Ranges that hold every white space, which may stand before an e-mail."""
_RETRY = Retry(
    predicate=lambda e: isinstance(
        e,
        exceptions.ServiceUnavailable
        | exceptions.Aborted
        | exceptions.InternalServerError
        | exceptions.TooManyRequests,
    ),
    initial=0.1,
    timeout=_SECONDS,
)
"""Short: a function that fails is delivered again, with a longer pause than it could wait itself."""


_ENDED = re.compile(r"[Tt]ransaction (?:has expired or )?is (?:no longer valid|invalid or closed)")
"""Part of what Firestore and its emulator say of one that was committed already, if the answer to that was lost."""
Blocked = Callable[[UserDocument | None], str | None]
_T = TypeVar("_T")


class UserStore:
    """`ports.Users` in Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._users = client.collection(COLLECTION)
        self._names = client.collection("names")
        self._asked = client.collection("asked")
        self._approval = client.document("controller/policy")

    def get(self, user: str, at: datetime | None = None) -> UserDocument | None:
        """Read one document; Firestore knows what it was at any minute of the last hour, of days with recovery on."""
        try:
            with _translated(f"read {COLLECTION}/{user}"):
                snapshot = self._users.document(user).get(retry=_RETRY, timeout=_SECONDS, read_time=at)
        except (exceptions.FailedPrecondition, exceptions.InvalidArgument):
            if at is None:
                raise
            return None
        return _document(snapshot) if snapshot.exists else None

    def write(self, document: UserDocument, record: Record) -> UserDocument:
        """Write status, other fields, history and what becomes of a claim, in one commit with preconditions."""
        batch = self._client.batch()
        self._put(batch, document, record, self._client.write_option(last_update_time=document.update_time))
        with _changed(document.id), _translated(f"write {COLLECTION}/{document.id}"):
            results = batch.commit(retry=_RETRY, timeout=_SECONDS)
        return _written(document, record, results[0].update_time)

    def claim(self, name: str) -> Claim | None:
        """Read one claim."""
        with _translated(f"read names/{name}"):
            return _claim(self._names.document(name).get(retry=_RETRY, timeout=_SECONDS))

    def take(  # noqa: PLR0913 - what is written, and when it may be
        self,
        document: UserDocument,
        name: str,
        record: Record,
        blocked: Blocked,
        *,
        before: Claim | None,
        since: datetime,
        purging: bool = False,
    ) -> UserDocument | str:
        """Write both with preconditions, in one commit that depends on the former holder's document as well."""

        def act(batch: WriteBatch, holder: UserDocument | None) -> str | None:
            if by := blocked(holder):
                return by
            self._put(batch, document, record, self._client.write_option(last_update_time=document.update_time))
            self._claim(batch, name, before, {"user": document.id, "since": since, "purging": purging})
            return None

        holder = before.user if before and before.user != document.id else None
        by, results = self._commit(document.id, holder, act)
        return by or _written(document, record, results[0].update_time)

    def purge_for_nobody(
        self, name: str, now: datetime, counts: Callable[[Claim, UserDocument], bool]
    ) -> Claim | None:
        """Write a claim that names no document, where there is none that has it rightly."""
        before = self.claim(name)

        def act(batch: WriteBatch, holder: UserDocument | None) -> bool:
            free = not (before and holder and counts(before, holder))
            if free:
                self._claim(batch, name, before, {"user": "", "since": now, "purging": True})
            return free

        free, results = self._commit(f"of {name}", before.user if before else None, act)
        return Claim(name, "", now, results[0].update_time, purging=True) if free else None

    def release(self, claim: Claim, counts: Callable[[UserDocument | None], bool]) -> None:
        """Delete it in one commit that depends on its holder's document as well."""

        def act(batch: WriteBatch, holder: UserDocument | None) -> None:
            if not counts(holder):
                self._release(batch, claim)

        with suppress(DocumentChanged):
            self._commit(f"of {claim.name}", claim.user, act)

    def has_seen(self, user: str, event: str) -> bool:
        """Query one document's history by `event`."""
        history = self._users.document(user).collection("history")
        with _translated(f"query {COLLECTION}/{user}/history"):
            found = history.where(filter=FieldFilter("event", "==", event)).limit(1)
            return any(True for _ in found.stream(retry=_RETRY, timeout=_SECONDS))

    def claims_of(self, user: str) -> list[Claim]:
        """Query by the holder."""
        query = self._names.where(filter=FieldFilter("user", "==", user))
        with _translated("query names by user"):
            return _claims(query.stream(retry=_RETRY, timeout=_SECONDS))

    def with_status_email(self, email: str) -> list[UserDocument]:
        """Query by the e-mail that the controller wrote."""
        return self._query(FieldFilter("status.email", "==", email))

    def with_email(self, email: str) -> list[UserDocument]:
        """Query by how people may spell it: every case of its first letters, and white space before it."""
        start = [{letter, letter.upper()} for letter in email[:_LETTERS]]
        spellings = sorted(map("".join, product(*start)))
        ranges = [(spelling, f"{spelling}{_LAST}") for spelling in spellings] + _BEFORE_LETTERS
        among: list[BaseFilter] = [
            And([FieldFilter("email", ">=", low), FieldFilter("email", "<", high)]) for low, high in ranges
        ]
        return [document for document in self._query(Or(among)) if email_of(document) == email]

    def due(self, now: datetime) -> list[str]:
        """Query by `status.nextLookAt`."""
        return self._ids(self._users.where(filter=FieldFilter("status.nextLookAt", "<=", now)))

    def of_other_settings(self, settings: str, most: int) -> list[str]:
        """Query by `status.settings`."""
        return self._ids(self._users.where(filter=FieldFilter("status.settings", "!=", settings)).limit(most))

    def every(self) -> Iterator[UserDocument]:
        """Stream the whole collection, of each document what is compared; an interrupted stream raises."""
        with _translated(f"list {COLLECTION}"):
            yield from map(_document, self._users.select(_COMPARED).stream(retry=_RETRY, timeout=_LISTING_SECONDS))

    def every_claim(self) -> Iterator[Claim]:
        """Stream all claims; an interrupted stream raises."""
        with _translated("list names"):
            yield from filter(None, map(_claim, self._names.stream(retry=_RETRY, timeout=_LISTING_SECONDS)))

    def asked(self, users: list[str], now: datetime, *, thoroughly: bool) -> set[str]:
        """Read for each whether it was asked for lately."""
        with _translated("read asked"):
            found = self._client.get_all(
                [self._asked.document(user) for user in users], retry=_RETRY, timeout=_LISTING_SECONDS
            )
            return {each.id for each in found if _is_asked(each.to_dict() or {}, now, thoroughly=thoroughly)}

    def note_asked(self, users: list[str], now: datetime, *, thoroughly: bool) -> None:
        """Write one small document for each."""
        for first in range(0, len(users), _WRITES):
            batch = self._client.batch()
            for user in users[first : first + _WRITES]:
                batch.set(self._asked.document(user), {"at": now, "thoroughly": thoroughly}, merge=True)
            with _translated("write asked"):
                batch.commit(retry=_RETRY, timeout=_SECONDS)

    def note_answered(self, user: str, now: datetime) -> None:
        """Write into that document: the answer may come before whoever asked has noted it."""
        with _translated(f"write asked/{user}"):
            self._asked.document(user).set({"answered": now}, merge=True, retry=_RETRY, timeout=_SECONDS)

    def approval(self) -> Approval | None:
        """Read `controller/policy`."""
        with _translated("read controller/policy"):
            stored = self._approval.get(retry=_RETRY, timeout=_SECONDS).to_dict()
        try:
            return Approval(**stored) if stored else None
        except TypeError:  # a person's edit: what is not understood approves of nothing
            return None

    def approve(self, approval: Approval) -> None:
        """Write `controller/policy`."""
        with _translated("write controller/policy"):
            self._approval.set(asdict(approval), retry=_RETRY, timeout=_SECONDS)

    def _commit(
        self, what: str, holder: str | None, act: Callable[[WriteBatch, UserDocument | None], _T]
    ) -> tuple[_T, list[Any]]:
        """Let `act` write in one commit, into which nobody's change of the holder's document can fall.

        Raises DocumentChanged. Only that document is read in a transaction, and it is none that is written: those who
        write to the same documents at once would wait for each other's locks, and have preconditions instead.
        """

        def with_holder(transaction: firestore.Transaction) -> _T:
            found = self._users.document(holder).get(transaction=transaction, retry=_RETRY, timeout=_SECONDS)
            return act(transaction, _document(found) if found.exists else None)

        with _changed(what), _translated(f"write {COLLECTION}/{what}"):
            if not holder:
                batch = self._client.batch()
                result = act(batch, None)
                return result, batch.commit(retry=_RETRY, timeout=_SECONDS)
            transaction = self._client.transaction(max_attempts=_ATTEMPTS)
            try:
                result = firestore.transactional(with_holder)(transaction)
            except ValueError as e:
                # Of a transaction that never began the client says that it cannot be rolled back.
                if isinstance(before := e.__context__, exceptions.GoogleAPICallError | exceptions.RetryError):
                    raise before from None
                # Else its attempts are used up.
                raise DocumentChanged(f"others kept writing to what {COLLECTION}/{what} depends on") from e
        return result, transaction.write_results or []

    def _put(self, batch: Any, document: UserDocument, record: Record, option: Any) -> None:
        reference = self._users.document(document.id)
        fields = {
            "status": record.status.as_document(),
            **{name: firestore.DELETE_FIELD if value is None else value for name, value in record.fields},
        }
        batch.update(reference, fields, option=option)
        for change in record.history:
            entry = {**change.as_document(), "expireAt": change.at + KEPT}
            batch.create(reference.collection("history").document(), entry)
        if claim := record.release:
            self._release(batch, claim)

    def _claim(self, batch: WriteBatch, name: str, before: Claim | None, fields: dict[str, Any]) -> None:
        reference = self._names.document(name)
        if before is None:
            batch.create(reference, fields)
        else:
            batch.update(reference, fields, option=self._client.write_option(last_update_time=before.update_time))

    def _release(self, batch: WriteBatch, claim: Claim) -> None:
        unchanged = self._client.write_option(last_update_time=claim.update_time)
        batch.delete(self._names.document(claim.name), option=unchanged)

    def _query(self, condition: Any) -> list[UserDocument]:
        with _translated(f"query {COLLECTION}"):
            found = self._users.where(filter=condition).stream(retry=_RETRY, timeout=_SECONDS)
            return [_document(snapshot) for snapshot in found]

    def _ids(self, query: Any) -> list[str]:
        with _translated(f"query {COLLECTION}"):
            return [found.id for found in query.select([]).stream(retry=_RETRY, timeout=_LISTING_SECONDS)]


_COMPARED = ("email", "expiresAt", "image", "profile", "state", "displayName", "restart", "purge", "status")


def decode_write(payload: Any) -> DocumentWrite:
    """Decode the protobuf payload of a `document.v1.written` event; raises BadMessage.

    The document's id comes from the payload: WSGI garbles what is not ASCII in a header.
    """
    try:
        event = DocumentEventData.pb(DocumentEventData.deserialize(payload))
    except Exception as e:
        raise BadMessage("the payload is no Firestore DocumentEventData") from e
    old, new = (document if document.name else None for document in (event.old_value, event.value))
    either = new or old
    if either is None:
        raise BadMessage("the Firestore event names no document")
    return DocumentWrite(
        user=either.name.rpartition("/")[2], old=_encoded(old), new=_encoded(new), old_email=_status_email(old)
    )


def _status_email(document: Any) -> str | None:
    if document is None or "status" not in document.fields:
        return None
    status = document.fields["status"].map_value.fields  # of another type: there are none
    return status["email"].string_value or None if "email" in status else None


def _encoded(document: Any) -> Mapping[str, bytes] | None:
    if document is None:
        return None
    return {
        name: value.SerializeToString(deterministic=True)
        for name, value in document.fields.items()
        if value.WhichOneof("value_type") != "null_value" and (name != "status" or value.map_value.fields)
    }


def _document(snapshot: Any) -> UserDocument:
    return UserDocument(snapshot.id, snapshot.to_dict(), snapshot.create_time, snapshot.update_time)


def _written(document: UserDocument, record: Record, update_time: datetime) -> UserDocument:
    written = document.with_status(record.status, **dict(record.fields))
    return UserDocument(document.id, written.fields, document.create_time, update_time)


def _claim(snapshot: Any) -> Claim | None:
    """Read a claim; one that a person has made unreadable names nobody, and is written anew."""
    if not snapshot.exists:
        return None
    stored = snapshot.to_dict()
    user, since = stored.get("user"), stored.get("since")
    names = isinstance(user, str) and (not user or is_document_id(user))  # a purge for nobody names nobody
    if not names or not isinstance(since, datetime):
        return Claim(snapshot.id, "", snapshot.update_time, snapshot.update_time)
    return Claim(snapshot.id, user, since, snapshot.update_time, purging=stored.get("purging") is True)


def _is_asked(stored: dict[str, Any], now: datetime, *, thoroughly: bool) -> bool:
    at, answered = stored.get("at"), stored.get("answered")
    lately = isinstance(at, datetime) and now - at < _ASKED_LASTS
    if isinstance(answered, datetime) and isinstance(at, datetime) and answered >= at:
        return False
    return lately and (stored.get("thoroughly") is True or not thoroughly)


def _claims(snapshots: Iterable[Any]) -> list[Claim]:
    return [claim for claim in map(_claim, snapshots) if claim]


@contextmanager
def _changed(what: str) -> Iterator[None]:
    try:
        yield
    except (exceptions.FailedPrecondition, exceptions.NotFound, exceptions.Conflict) as e:
        raise DocumentChanged(f"{COLLECTION}/{what} is not what was read") from e
    except (exceptions.InvalidArgument, exceptions.OutOfRange) as e:
        if _ENDED.search(e.message):
            raise DocumentChanged(f"the transaction about {COLLECTION}/{what} has ended already") from e
        raise DocumentRefused(f"Firestore does not take it for {COLLECTION}/{what}: {e.message[:200]}") from e


@contextmanager
def _translated(what: str) -> Iterator[None]:
    count("firestore")
    try:
        yield
    except (
        exceptions.FailedPrecondition,
        exceptions.NotFound,
        exceptions.Conflict,
        exceptions.InvalidArgument,
        exceptions.OutOfRange,
    ):
        raise
    except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as e:
        raise TransientError(f"Firestore could not {what}: {type(e).__name__}") from e
