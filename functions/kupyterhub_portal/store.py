"""The `users` collection as the portal reads and writes it; nothing else of the portal knows Firestore.

A write names the fields that it changes and no others, so edits of others are never undone by it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.bulk_batch import BulkWriteBatch

from kupyterhub.domain.errors import DocumentChanged, TransientError
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain.place import Place
from kupyterhub_rules.stored import OBSERVED_FIELDS

COLLECTION = "users"
PHASES = ("Ready", "Provisioning", "Waiting", "Stopped", "Failed", "Rejected", "Deleted")
REMOVED = firestore.DELETE_FIELD
"""As a field's value in a write: the field is taken away."""
# All that a row of a list shows; the search terms, most of a document, stay where they are.
_SHOWN = (
    *("displayName", *OBSERVED_FIELDS),
    *(f"status.{name}" for name in ("phase", "reason", "message", "observed")),
)
_SECONDS = 10.0
_QUERY_SECONDS = 30.0
_OPERANDS = 30  # of `in`, a limit of Firestore
_WRITES = 500  # of one BatchWrite, likewise
_OK, _NOT_FOUND, _ALREADY_EXISTS = 0, 5, 6  # google.rpc.Code
_RETRY = Retry(
    predicate=lambda e: isinstance(
        e, exceptions.ServiceUnavailable | exceptions.Aborted | exceptions.InternalServerError
    ),
    initial=0.1,
    timeout=_SECONDS,
)


class Store:
    """Each method may raise TransientError."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._users = client.collection(COLLECTION)

    def get(self, user: str) -> UserDocument | None:
        """Read one document."""
        with _translated():
            snapshot = self._users.document(user).get(retry=_RETRY, timeout=_SECONDS)
        return _document(snapshot) if snapshot.exists else None

    def get_many(self, users: Iterable[str]) -> list[UserDocument]:
        """Read documents; those that are gone are left out."""
        references = [self._users.document(user) for user in users]
        with _translated():
            found = self._client.get_all(references, retry=_RETRY, timeout=_SECONDS)
            return [_document(snapshot) for snapshot in found if snapshot.exists]

    def of_emails(self, emails: Sequence[str]) -> list[UserDocument]:
        """Query by lower-case e-mails: as the controller noted them, and as they were written."""
        found: dict[str, UserDocument] = {}
        for first in range(0, len(emails), _OPERANDS):
            for path in ("status.email", "email"):
                where = FieldFilter(path, "in", emails[first : first + _OPERANDS])
                found |= {document.id: document for document in self._read(self._users.where(filter=where))}
        return list(found.values())

    def everybody(self, after: Place | None, limit: int) -> list[UserDocument]:
        """Query all whose e-mail is a text, in the order of e-mails."""
        query = self._users.select(_SHOWN).where(filter=FieldFilter("email", ">=", "")).limit(limit)
        query = query.order_by("email").order_by("__name__")
        if after:
            query = query.start_after({"email": after.email, "__name__": self._users.document(after.id)})
        return self._read(query)

    def sought(self, *, phase: str, trigram: str, after: Place | None, limit: int) -> list[UserDocument]:
        """Query by a phase, a trigram or both; an empty text leaves that condition out.

        In the order of ids: any other would need an index of several fields for each, and find nobody without e-mail.
        """
        query = self._users.select(_SHOWN).order_by("__name__").limit(limit)
        if phase:
            query = query.where(filter=FieldFilter("status.phase", "==", phase))
        if trigram:
            query = query.where(filter=FieldFilter("status.terms", "array_contains", trigram))
        if after:
            query = query.start_after({"__name__": self._users.document(after.id)})
        return self._read(query)

    def of_name(self, name: str) -> list[UserDocument]:
        """Query by the base name of the Kubernetes objects."""
        return self._read(self._users.where(filter=FieldFilter("status.name", "==", name)))

    def counts(self) -> dict[str, int]:
        """Count people by phase, by indexes alone."""
        with _translated():
            return {phase: self._count(phase) for phase in PHASES}

    def create(self, user: str, fields: Mapping[str, Any]) -> bool:
        """Make a document; False where there is one."""
        return not self.create_many({user: fields})

    def create_many(self, documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Make documents; returns the ids of those that were there already, which stay as they are."""

        def add(batch: BulkWriteBatch, user: str) -> None:
            batch.create(self._users.document(user), dict(documents[user]))

        return self._commit(list(documents), add, _ALREADY_EXISTS)

    def change_many(self, users: Sequence[str], fields: Mapping[str, Any]) -> list[str]:
        """Change fields of documents, each by itself; returns the ids of those that are gone."""

        def add(batch: BulkWriteBatch, user: str) -> None:
            batch.update(self._users.document(user), dict(fields))

        return self._commit(users, add, _NOT_FOUND)

    def change(self, document: UserDocument, fields: Mapping[str, Any]) -> None:
        """Change fields if the document is still this version; raises DocumentChanged."""
        unchanged = self._client.write_option(last_update_time=document.update_time)
        with _translated():
            try:
                self._users.document(document.id).update(
                    dict(fields), option=unchanged, retry=_RETRY, timeout=_SECONDS
                )
            except (exceptions.FailedPrecondition, exceptions.NotFound, exceptions.Aborted) as e:
                raise DocumentChanged(f"{COLLECTION}/{document.id} is not what was read") from e

    def history(self, user: str, limit: int) -> list[dict[str, Any]]:
        """Query what happened to a user and is not in the document any more, the latest first."""
        entries = self._users.document(user).collection("history").order_by("at", direction="DESCENDING")
        with _translated():
            return [entry.to_dict() or {} for entry in entries.limit(limit).stream(retry=_RETRY, timeout=_SECONDS)]

    def _count(self, phase: str) -> int:
        query: Any = self._users.where(filter=FieldFilter("status.phase", "==", phase)).count()
        return int(query.get(retry=_RETRY, timeout=_SECONDS)[0][0].value)

    def _read(self, query: Any) -> list[UserDocument]:
        with _translated():
            return [_document(snapshot) for snapshot in query.stream(retry=_RETRY, timeout=_QUERY_SECONDS)]

    def _commit(self, users: Sequence[str], add: Any, expected: int) -> list[str]:
        """BatchWrite: one that fails is no failure of the others."""
        not_written: list[str] = []
        for first in range(0, len(users), _WRITES):
            some = users[first : first + _WRITES]
            batch = BulkWriteBatch(self._client)
            for user in some:
                add(batch, user)
            with _translated():
                answers = batch.commit(retry=_RETRY, timeout=_SECONDS).status
            codes = [answer.code for answer in answers]
            if any(code not in (_OK, expected) for code in codes):
                raise TransientError("Firestore did not take all of the writes")
            not_written += [user for user, code in zip(some, codes, strict=True) if code == expected]
        return not_written


def _document(snapshot: Any) -> UserDocument:
    return UserDocument(snapshot.id, snapshot.to_dict() or {}, snapshot.create_time, snapshot.update_time)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as e:
        raise TransientError(f"Firestore does not answer: {type(e).__name__}") from e
