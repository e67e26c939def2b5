"""Requests to the API server as its administrator, for what the local system does once at its start."""

import ssl
from types import TracebackType
from typing import Any, Self

import aiohttp

from kupyterhub_local.control_plane.pki import Pki
from kupyterhub_local.errors import ApiError

APPLY = "application/apply-patch+yaml"
REQUEST_SECONDS = 30.0


class Api:
    """A connection to the API server at the URL `server`."""

    def __init__(self, server: str, pki: Pki) -> None:
        context = ssl.create_default_context(cafile=pki.ca)
        admin = pki.pair("admin")
        context.load_cert_chain(admin.certificate, admin.key)
        self._session = aiohttp.ClientSession(
            server,
            connector=aiohttp.TCPConnector(ssl=context),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ready(self) -> bool:
        """Say whether the server answers, and says that it is ready."""
        try:
            async with self._session.get("/readyz") as answer:
                return answer.ok
        except (TimeoutError, aiohttp.ClientError):
            return False

    async def get(self, path: str) -> Any:
        """Read an object or a list; raises ApiError."""
        async with self._session.get(path) as answer:
            return await _body(answer)

    async def create(self, path: str, body: Any) -> Any:
        """Create an object; raises ApiError."""
        async with self._session.post(path, json=body) as answer:
            return await _body(answer)

    async def apply(self, path: str, manifest: Any, manager: str) -> None:
        """Apply a manifest on the server's side, as the field manager `manager`, by force; raises ApiError."""
        query = {"fieldManager": manager, "force": "true"}
        headers = {"Content-Type": APPLY}
        async with self._session.patch(path, json=manifest, params=query, headers=headers) as answer:
            await _body(answer)


async def _body(answer: aiohttp.ClientResponse) -> Any:
    body = await answer.json(content_type=None)
    if not answer.ok:
        raise ApiError(f"The API server refused {answer.method} {answer.url.path}: {body['message']}", answer.status)
    return body
