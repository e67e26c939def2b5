"""The documents of `users` in the emulator, and its messages, as one who uses the system reads and writes them.

Over the emulators' REST interface: Google's clients take longer to import than all that is done here.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import aiohttp

PROJECT = "kupyterhub-local"
SHOWN_FIELDS = ("email", "status.phase", "status.proxyUrl", "status.message", "status.agent.registeredAt")
PAGE_SIZE = 300
REQUEST_SECONDS = 10.0


@dataclass(frozen=True)
class User:
    """What is shown of one document; `registered` is when the agent last found JupyterLab to answer anew."""

    email: str
    phase: str
    url: str = ""
    message: str = ""
    registered: datetime | None = None
    id: str = ""
    """Of the document: several may name one e-mail."""


def document_id(email: str) -> str:
    """Return the id of the document that we write for an e-mail, the same as forms and portal use."""
    return "u-" + hashlib.sha256(email.strip().lower().encode()).hexdigest()[:20]


def decode(document: dict[str, Any]) -> User:
    """Read a document in the form that Firestore's REST interface gives it; what is no text counts as absent."""
    fields = document.get("fields", {})
    status = _map(fields, "status")
    registered = _map(status, "agent").get("registeredAt", {}).get("timestampValue")
    id_ = document["name"].rpartition("/")[2]
    return User(
        id=id_,
        email=_text(fields, "email").strip() or id_,
        phase=_text(status, "phase"),
        url=_text(status, "proxyUrl"),
        message=_text(status, "message"),
        registered=datetime.fromisoformat(registered) if registered else None,
    )


def _map(fields: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = fields.get(name, {}).get("mapValue", {}).get("fields", {})
    return found


def _text(fields: dict[str, Any], name: str) -> str:
    return str(fields.get(name, {}).get("stringValue", ""))


class Users:
    """The emulators at `firestore` and `pubsub`, both as host:port."""

    def __init__(self, firestore: str, pubsub: str) -> None:
        self._documents = f"http://{firestore}/v1/projects/{PROJECT}/databases/(default)/documents/users"
        self._resync = f"http://{pubsub}/v1/projects/{PROJECT}/topics/resync:publish"
        # The emulator's word for an administrator's credentials.
        headers = {"Authorization": "Bearer owner"}
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
        self._session = aiohttp.ClientSession(headers=headers, timeout=timeout, raise_for_status=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def enrol(self, email: str) -> None:
        """Add a document for `email` if there is none, whatever its id."""
        if any(user.email.lower() == email.strip().lower() for user in await self.all()):
            return
        try:
            await self._post(
                f"{self._documents}?documentId={document_id(email)}", {"fields": {"email": {"stringValue": email}}}
            )
        except aiohttp.ClientResponseError as error:
            if error.status != 409:  # noqa: PLR2004 - conflict: it is there
                raise

    async def resync(self) -> None:
        """Have everybody compared with the cluster."""
        data = base64.b64encode(json.dumps({"mode": "all"}).encode()).decode()
        await self._post(self._resync, {"messages": [{"data": data}]})

    async def all(self) -> list[User]:
        """Read everybody, by e-mail."""
        query = [("pageSize", str(PAGE_SIZE)), *(("mask.fieldPaths", field) for field in SHOWN_FIELDS)]
        found: list[User] = []
        token = ""
        while True:
            async with self._session.get(self._documents, params=[*query, ("pageToken", token)]) as answer:
                page = await answer.json()
            found += map(decode, page.get("documents", []))
            if not (token := page.get("nextPageToken", "")):
                return sorted(found, key=lambda user: user.email)

    async def _post(self, url: str, body: Any) -> None:
        async with self._session.post(url, json=body):
            pass
