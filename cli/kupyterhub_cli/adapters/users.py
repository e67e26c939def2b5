"""The collection `users` in Firestore."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from google.api_core import exceptions
from google.api_core.retry import Retry
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.bulk_batch import BulkWriteBatch

from kupyterhub_cli.adapters.google_errors import require_emulator, translated
from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.wishes import Write
from kupyterhub_cli.errors import Unavailable
from kupyterhub_cli.place import Place
from kupyterhub_cli.ports import Page, Written
from kupyterhub_rules.names import document_id

A = TypeVar("A")

COLLECTION = "users"
SECONDS = 30.0
# Limits of Firestore: operands of `in`, and writes of one BatchWrite.
IN_OPERANDS = 30
BATCH = 500
READ_TOGETHER = 300
THREADS = 8
ATTEMPTS = 6
_RETRY = Retry(
    predicate=lambda e: isinstance(
        e, exceptions.ServiceUnavailable | exceptions.Aborted | exceptions.InternalServerError
    ),
    initial=0.2,
    timeout=SECONDS,
)
_NAME = "__name__"


class UserStore:
    """`ports.Users` in Firestore."""

    def __init__(self, place: Place) -> None:
        self._place = place
        credentials = None
        if place.firestore:
            require_emulator(place.firestore, "Firestore")
            credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
        with translated(place, "read Firestore"):
            self._client = firestore.Client(place.project, credentials)
        self._users = self._client.collection(COLLECTION)

    def by_ids(self, ids: Iterable[str]) -> dict[str, Document]:
        """Read documents by their ids, many at a time."""

        def read(some: Sequence[str]) -> list[Document]:
            references = [self._users.document(each) for each in some]
            return [
                _document(snapshot)
                for snapshot in self._client.get_all(references, retry=_RETRY, timeout=SECONDS)
                if snapshot.exists
            ]

        usable = [each for each in ids if _is_id(each)]
        return {document.id: document for document in self._together(read, _chunks(usable, READ_TOGETHER))}

    def by_emails(self, emails: Iterable[str]) -> list[Document]:
        """Query by `status.email` and by `email`, and read the derived ids; each one's own e-mail is compared."""
        wanted = list(dict.fromkeys(emails))

        def query(asked: tuple[str, Sequence[str]]) -> list[Document]:
            path, some = asked
            found = self._users.where(filter=FieldFilter(path, "in", some))
            return [_document(snapshot) for snapshot in found.stream(retry=_RETRY, timeout=SECONDS)]

        chunks = list(_chunks(wanted, IN_OPERANDS))
        found = {d.id: d for d in self._together(query, [(p, c) for p in ("status.email", "email") for c in chunks])}
        found |= self.by_ids(map(document_id, wanted))
        return [document for document in found.values() if document.email in wanted]

    def page(self, *, phase: str | None, trigram: str | None, after: str | None, limit: int) -> Page:
        """Query in the order of ids, so that every document is on one page, whatever it lacks."""
        query = self._users.order_by(_NAME).limit(limit)
        if phase:
            query = query.where(filter=FieldFilter("status.phase", "==", phase))
        if trigram:
            query = query.where(filter=FieldFilter("status.terms", "array_contains", trigram))
        if after:
            query = query.start_after({_NAME: self._users.document(after)})
        with translated(self._place, "read users"):
            found = tuple(_document(snapshot) for snapshot in query.stream(retry=_RETRY, timeout=SECONDS))
        return Page(found, found[-1].id if len(found) == limit else None)

    def write(self, writes: Sequence[Write]) -> list[Written]:
        """BatchWrite: there one that fails is no failure of the others. What Firestore was too busy for, again."""
        results: dict[int, Written] = {}
        waiting = list(range(len(writes)))
        for attempt in range(ATTEMPTS):
            busy: list[int] = []
            for some in _chunks(waiting, BATCH):
                for index, code in zip(some, self._codes([writes[i] for i in some]), strict=True):
                    if code in _WRITTEN:
                        results[index] = _WRITTEN[code]
                    else:
                        busy.append(index)
            if not (waiting := busy):
                return [results[index] for index in range(len(writes))]
            time.sleep(0.2 * 2**attempt)
        raise Unavailable(
            f"Firestore did not take {len(waiting)} of {len(writes)} writes. Do the same again: "
            "what is there already stays as it is."
        )

    def _codes(self, writes: Sequence[Write]) -> list[int]:
        batch = BulkWriteBatch(self._client)
        for each in writes:
            reference = self._users.document(each.id)
            if each.create:
                batch.create(reference, each.fields)
            else:
                changed = {n: firestore.DELETE_FIELD if v is None else v for n, v in each.fields.items()}
                batch.update(reference, changed)
        with translated(self._place, "write users"):
            return [status.code for status in batch.commit(retry=_RETRY, timeout=SECONDS).status]

    def count(self, phase: str | None) -> int:
        """Count by an index, without reading documents."""
        query: Any = self._users
        where = FieldFilter("status.phase", "==", phase) if phase else FieldFilter("status.phase", ">=", "")
        return self._counted(query.where(filter=where))

    def count_all(self) -> int:
        """Count the collection."""
        return self._counted(self._users)

    def changed_since(self, moment: datetime, limit: int) -> list[Document]:
        """Query by `status.updatedAt`."""
        query = self._users.where(filter=FieldFilter("status.updatedAt", ">=", moment))
        with translated(self._place, "read users"):
            found = query.order_by("status.updatedAt").limit(limit).stream(retry=_RETRY, timeout=SECONDS)
            return [_document(snapshot) for snapshot in found]

    def due(self, moment: datetime, limit: int) -> list[Document]:
        """Query by `status.nextLookAt`."""
        query = self._users.where(filter=FieldFilter("status.nextLookAt", "<=", moment))
        with translated(self._place, "read users"):
            found = query.order_by("status.nextLookAt").limit(limit).stream(retry=_RETRY, timeout=SECONDS)
            return [_document(snapshot) for snapshot in found]

    def history(self, user: str, limit: int) -> list[dict[str, Any]]:
        """Query the subcollection by time."""
        entries = self._users.document(user).collection("history").order_by("at", direction="DESCENDING")
        with translated(self._place, "read a user's history"):
            return [entry.to_dict() or {} for entry in entries.limit(limit).stream(retry=_RETRY, timeout=SECONDS)]

    def policy(self) -> dict[str, Any]:
        """Read `controller/policy`."""
        with translated(self._place, "read what is said of the settings"):
            stored = self._client.document("controller/policy").get(retry=_RETRY, timeout=SECONDS)
        return stored.to_dict() or {}

    def _counted(self, query: Any) -> int:
        with translated(self._place, "count users"):
            return int(query.count().get(retry=_RETRY, timeout=SECONDS)[0][0].value)

    def _together(self, read: Callable[[A], list[Document]], parts: Iterable[A]) -> list[Document]:
        with translated(self._place, "read users"), ThreadPoolExecutor(THREADS) as pool:
            return [document for found in pool.map(read, parts) for document in found]


# gRPC's OK, NOT_FOUND and ALREADY_EXISTS (google.rpc.Code).
_WRITTEN: dict[int, Written] = {
    0: "written",
    5: "gone",
    6: "there already",
}


def _document(snapshot: Any) -> Document:
    return Document(snapshot.id, snapshot.to_dict() or {})


def _is_id(text: str) -> bool:
    reserved = text.startswith("__") and text.endswith("__")
    return bool(text) and "/" not in text and text not in (".", "..") and not reserved


def _chunks(items: Iterable[A], size: int) -> Iterable[list[A]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
