"""The API server, in plain JSON, as the pod's own ServiceAccount.

Not by `kubernetes_asyncio`: its models of all kinds take more memory than 1,000 people do here, and two lists,
two watches and a Lease are all that is asked.
"""

from __future__ import annotations

import json
import random
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yarl import URL

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
GONE = 410
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_PAGE = 250
"""Objects in one answer of a list: what is held meanwhile is bounded by it."""
_WATCH_SECONDS = 300
_LONGEST_LINE = 4 * 1024 * 1024
"""An object has at most 1.5 MiB in etcd."""
_NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""ValueError: JSON that a lost connection cut off."""

Object = dict[str, Any]


class ApiError(Exception):
    """The API server said no, or could not be asked (then `status` is 0)."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, slots=True)
class Access:
    """Where the API server is, and the folder with `token` and `ca.crt`."""

    server: URL
    folder: Path = IN_CLUSTER

    def session(self) -> aiohttp.ClientSession:
        """Make an HTTP client that trusts the cluster's CA; raises OSError."""
        tls = ssl.create_default_context(cafile=self.folder / "ca.crt")
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls), read_bufsize=_LONGEST_LINE)

    def headers(self) -> dict[str, str]:
        """Prove who we are; the kubelet renews the token."""
        return {"Authorization": f"Bearer {(self.folder / 'token').read_text().strip()}"}


class Api:
    """Asks the API server."""

    def __init__(self, access: Access, session: aiohttp.ClientSession) -> None:
        self._access = access
        self._session = session

    async def pages(self, path: str, selector: str, size: int = _PAGE) -> AsyncIterator[Object]:
        """Give a list in pieces, all of one version; raises ApiError, with GONE if it took too long."""
        query = {"labelSelector": selector, "limit": str(size)}
        while True:
            page = await self.ask("GET", path, query=query)
            yield page
            if not (token := page["metadata"].get("continue")):
                return
            query["continue"] = token

    async def watch(self, path: str, selector: str, version: str) -> AsyncIterator[tuple[str, Object]]:
        """Give (type, object) of what changes after `version`, until the server ends the watch; raises ApiError."""
        seconds = round(_WATCH_SECONDS * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
        query = {
            "labelSelector": selector,
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=seconds + 30)
        try:
            async with self._session.get(
                self._access.server.with_path(path), params=query, headers=self._access.headers(), timeout=timeout
            ) as answer:
                await _check(answer)
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(event["object"].get("code", 0), event["object"].get("message", "it ended"))
                    yield event["type"], event["object"]
        except _NO_ANSWER as error:
            raise ApiError(0, f"a watch of {path} broke ({type(error).__name__})") from error

    async def ask(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: Object | None = None
    ) -> Object:
        """Ask once; raises ApiError."""
        try:
            async with self._session.request(
                method,
                self._access.server.with_path(path),
                params=query,
                json=body,
                headers=self._access.headers(),
                timeout=_TIMEOUT,
            ) as answer:
                await _check(answer)
                return await answer.json()  # type: ignore[no-any-return]
        except _NO_ANSWER as error:
            raise ApiError(0, f"the API server gave no answer ({type(error).__name__})") from error


async def _check(answer: aiohttp.ClientResponse) -> None:
    if answer.status >= 400:  # noqa: PLR2004 - HTTP
        status = await answer.json()
        raise ApiError(answer.status, f"the API server answered {answer.status}: {status.get('message', '')}")
