"""JupyterLab as the agent sees it: does it answer, what does its API say, and requests to it."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import aiohttp
from yarl import URL

from kupyterhub_agent.http_client.pool import Pool
from kupyterhub_agent.http_client.request import Request
from kupyterhub_agent.upgrade import upgraded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from kupyterhub_agent.http_client.connection import Connection
    from kupyterhub_agent.upgrade import Upgraded
    from kupyterhub_tunnel.heads import Headers
    from kupyterhub_tunnel.pieces import Bytes

_PROBE = aiohttp.ClientTimeout(total=5)
_MOST_JSON_BYTES = 1024 * 1024
"""Of one answer of its API; a kernel takes some 250."""
_MAX_HEADER_BYTES = 32 * 1024
# A WebSocket that is carried lasts as long as it does; only connecting is bounded.
_CARRIED = aiohttp.ClientTimeout(total=None, sock_connect=10)
# Longer than the pace at which many are looked at, so that a look needs no new connection and no name to resolve.
_KEEP_ALIVE_SECONDS = 90
FRESH_SECONDS = 30.0
"""At least so often it is looked whether it can be reached anew, and not only by a connection that is kept alive."""
_MOST_MESSAGE_BYTES = 64 * 1024 * 1024
"""Of a WebSocket whose messages Google's agent carries: these are held whole."""
_RECEIVED_BYTES = 64 * 1024
_TOKEN_SECONDS = 1.0
"""So long a token that was read is good for requests."""


class NotebookUnreachable(Exception):
    """JupyterLab does not answer as it should.

    `refused`: nothing listens there, so it cannot be merely busy. `status`: what it answered, if it did.
    """

    def __init__(self, reason: str, *, refused: bool, status: int | None = None) -> None:
        super().__init__(reason)
        self.refused = refused
        self.status = status


@dataclass(frozen=True, slots=True)
class Location:
    """Where JupyterLab listens and what gives its token."""

    url: URL
    token: Callable[[], str]

    def authorization(self) -> str:
        """Give the header's value as it is now: a restart may bring another token."""
        return f"token {self.token()}"


@dataclass(frozen=True, slots=True)
class NotebookSession:
    """The HTTP clients that any number of notebooks share."""

    pool: Pool
    """For what is carried."""
    http: aiohttp.ClientSession
    """For WebSockets, and for what the agent itself asks."""
    fresh: aiohttp.ClientSession
    """Keeps no connection and no address."""


@asynccontextmanager
async def notebook_session() -> AsyncIterator[NotebookSession]:
    """Make them, and close them in the end."""
    pool = Pool()
    kept = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS, socket_factory=_small_socket)
    not_kept = aiohttp.TCPConnector(limit=0, force_close=True, use_dns_cache=False)
    async with _session(kept) as http, _session(not_kept) as fresh:
        yield NotebookSession(pool, http, fresh)
        pool.close()


def _small_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make one that receives little at once: what a notebook sends with its handshake is held at first."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVED_BYTES)
    return made


def _session(connector: aiohttp.BaseConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        timeout=_CARRIED,
        # The browser's cookies and encodings are not ours to keep or undo.
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=connector,
        max_line_size=_MAX_HEADER_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
        skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
    )


class Notebook:
    """Client of one JupyterLab."""

    def __init__(self, location: Location, session: NotebookSession) -> None:
        self._location = location
        self._pool = session.pool
        self._session = session.http
        self._fresh = session.fresh
        self._fresh_until = 0.0
        self._address = (location.url.host or "", location.url.port or 80)
        self._origin = str(location.url.origin())
        self._read = ""
        self._read_until = 0.0

    async def started(self) -> str | None:
        """Return when it says that it was started, if it answers and takes our token; raises NotebookUnreachable.

        Now and then, and as long as that fails, by a connection of its own: one that is kept alive goes on though
        its Service is gone.
        """
        now = asyncio.get_running_loop().time()
        if now < self._fresh_until:
            status = await self.get_json("/api/status")
        else:
            status = await self._get_json("/api/status", self._fresh)
            self._fresh_until = now + FRESH_SECONDS
        started = status.get("started") if isinstance(status, dict) else None
        return started if isinstance(started, str) else None

    def doubt(self) -> None:
        """Take note that it could not be reached: the next look is by a connection of its own."""
        self._fresh_until = 0.0

    async def get_json(self, target: str) -> Any:
        """Ask its API, with the token; raises NotebookUnreachable.

        Its person may have it answer anything, and may not thereby harm the others whom this agent serves: so
        no redirect is followed, and not more is read than JupyterLab would say.
        """
        return await self._get_json(target, self._session)

    async def _get_json(self, target: str, session: aiohttp.ClientSession) -> Any:
        headers = {"Authorization": self._location.authorization()}
        try:
            async with session.get(
                self._url(target), headers=headers, timeout=_PROBE, allow_redirects=False
            ) as answer:
                answer.raise_for_status()
                return json.loads(await _body(answer))
        except aiohttp.ClientConnectorDNSError as error:
            raise NotebookUnreachable("its name does not resolve", refused=False) from error
        except aiohttp.ClientConnectorError as error:
            raise NotebookUnreachable("nothing listens there", refused=True) from error
        except aiohttp.ClientResponseError as error:
            raise NotebookUnreachable(f"it answered {error.status}", refused=False, status=error.status) from error
        except (TimeoutError, aiohttp.ClientError, ValueError, RecursionError) as error:
            raise NotebookUnreachable(f"no answer ({type(error).__name__})", refused=False) from error

    def request(
        self,
        method: str,
        target: str,
        headers: list[tuple[str, str]],
        body: AsyncIterator[Bytes] | None,
        hinted: Callable[[int, str, Headers], None] | None = None,
    ) -> AbstractAsyncContextManager[Connection]:
        """Send a request as it is, with the token; `target` is path and query as on the wire. Raises HttpError."""
        authorized = [*headers, ("Authorization", self._authorization())]
        return self._pool.exchange(self._address, Request(method, target, authorized, body, hinted))

    def websocket(
        self, target: str, headers: list[tuple[str, str]], subprotocols: tuple[str, ...]
    ) -> AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse[Literal[False]]]:
        """Open a WebSocket likewise."""
        authorized = [*headers, ("Authorization", self._authorization())]
        return self._session.ws_connect(
            self._url(target),
            headers=authorized,
            protocols=subprotocols,
            max_msg_size=_MOST_MESSAGE_BYTES,
            decode_text=False,
        )

    @asynccontextmanager
    async def upgraded(
        self, target: str, headers: list[tuple[str, str]], subprotocols: tuple[str, ...]
    ) -> AsyncIterator[Upgraded]:
        """Open a WebSocket that is carried as it is, likewise."""
        authorized = [*headers, ("Authorization", self._authorization())]
        upgrade = await upgraded(self._session, self._url(target), authorized, subprotocols=subprotocols)
        try:
            yield upgrade
        finally:
            upgrade.answer.close()

    def _authorization(self) -> str:
        # A token comes with a start of JupyterLab, which takes longer; reading a file costs each request dearly.
        now = asyncio.get_running_loop().time()
        if now >= self._read_until:
            self._read, self._read_until = self._location.authorization(), now + _TOKEN_SECONDS
        return self._read

    def _url(self, target: str) -> URL:
        return URL(f"{self._origin}{target}", encoded=True)


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _MOST_JSON_BYTES:
            raise ValueError("it answers too much")
    return body
