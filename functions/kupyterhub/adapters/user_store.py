"""The `users` collection in Firestore, and the events that Firestore sends about it."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.events.cloud.firestore import DocumentEventData

from kupyterhub.domain.errors import BadMessage, DocumentChanged, TransientError
from kupyterhub.domain.users import Status, UserDocument
from kupyterhub.events import DocumentWrite

COLLECTION = "users"
_SECONDS = 10.0
_RETRY = Retry(
    predicate=lambda e: isinstance(
        e, exceptions.ServiceUnavailable | exceptions.Aborted | exceptions.InternalServerError
    ),
    initial=0.1,
    timeout=_SECONDS,
)
"""Short: a function that fails is delivered again, with a longer pause than it could wait itself."""


class UserStore:
    """`ports.Users` in Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client
        self._users = client.collection(COLLECTION)

    def get(self, user: str) -> UserDocument | None:
        """Read one document."""
        with _translated(f"read {COLLECTION}/{user}"):
            snapshot = self._users.document(user).get(retry=_RETRY, timeout=_SECONDS)
        return _document(snapshot) if snapshot.exists else None

    def write(self, document: UserDocument, status: Status, **changed: Any) -> UserDocument:
        """Write status, other fields and, on a change of phase, history, in one commit with a precondition."""
        reference = self._users.document(document.id)
        fields = {"status": status.as_document()}
        removed = {name: firestore.DELETE_FIELD for name, value in changed.items() if value is None}
        kept = {name: value for name, value in changed.items() if value is not None}
        batch = self._client.batch()
        batch.update(
            reference,
            {**fields, **kept, **removed},
            option=self._client.write_option(last_update_time=document.update_time),
        )
        if status.phase != document.status.phase:
            entry = {
                "phase": status.phase,
                "reason": status.reason,
                "message": status.message,
                "at": status.updatedAt,
            }
            batch.create(reference.collection("history").document(), entry)
        try:
            with _translated(f"write {COLLECTION}/{document.id}"):
                results = batch.commit(retry=_RETRY, timeout=_SECONDS)
        except (exceptions.FailedPrecondition, exceptions.NotFound, exceptions.Aborted) as e:
            raise DocumentChanged(f"{COLLECTION}/{document.id} is not what was read") from e
        written = document.with_status(status, **changed)
        return UserDocument(document.id, written.fields, document.create_time, results[0].update_time)

    def with_status_email(self, email: str) -> list[UserDocument]:
        """Query by the e-mail that the controller wrote."""
        return self._query("status.email", "==", email)

    def with_email(self, spellings: Iterable[str]) -> list[UserDocument]:
        """Query by the e-mail as people wrote it."""
        return self._query("email", "in", sorted(spellings))

    def due(self, now: datetime) -> list[str]:
        """Query by `status.nextLookAt`."""
        return [document.id for document in self._query("status.nextLookAt", "<=", now)]

    def every(self) -> Iterator[UserDocument]:
        """Stream the whole collection; an interrupted stream raises."""
        with _translated(f"list {COLLECTION}"):
            yield from map(_document, self._users.stream(retry=_RETRY, timeout=60.0))

    def forget_observed(self, user: str) -> None:
        """Remove `status.observed`; a document that is gone has none."""
        try:
            with _translated(f"write {COLLECTION}/{user}"):
                self._users.document(user).update(
                    # The time makes it a change even where nothing was observed yet: Firestore keeps the update time
                    # of a document that a write leaves as it was, and a look under way would not notice.
                    {"status.observed": firestore.DELETE_FIELD, "status.updatedAt": firestore.SERVER_TIMESTAMP},
                    retry=_RETRY,
                    timeout=_SECONDS,
                )
        except exceptions.NotFound:
            return

    def _query(self, path: str, operator: str, value: Any) -> list[UserDocument]:
        query = self._users.where(filter=FieldFilter(path, operator, value))
        with _translated(f"query {COLLECTION} by {path}"):
            return [_document(snapshot) for snapshot in query.stream(retry=_RETRY, timeout=_SECONDS)]


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
    status = document.fields["status"].map_value.fields
    return status["email"].string_value or None if "email" in status else None


def _encoded(document: Any) -> Mapping[str, bytes] | None:
    if document is None:
        return None
    return {name: value.SerializeToString(deterministic=True) for name, value in document.fields.items()}


def _document(snapshot: Any) -> UserDocument:
    return UserDocument(snapshot.id, snapshot.to_dict(), snapshot.create_time, snapshot.update_time)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except (exceptions.FailedPrecondition, exceptions.NotFound, exceptions.Aborted):
        raise
    except (exceptions.GoogleAPICallError, exceptions.RetryError, GoogleAuthError) as e:
        raise TransientError(f"Firestore could not {what}: {type(e).__name__}") from e
