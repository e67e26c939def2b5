"""The link to our own proxy server: one multiplexed connection that the agent dials and keeps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import TYPE_CHECKING, Any

import aiohttp

from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.errors import TunnelError
from kupyterhub_tunnel.frames import MAX_FRAME_BYTES
from kupyterhub_tunnel.pipe import HEARTBEAT_SECONDS, WebSocketPipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kupyterhub_agent.settings import Settings
    from kupyterhub_agent.watch import Announcement
    from kupyterhub_tunnel.stream import Stream

CONNECT_PATH = "/agent/connect"
SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
TOKEN_LOOK_SECONDS = 30.0
"""The kubelet renews a projected token long before its end; so often the file is looked at."""

log = logging.getLogger(__name__)


class ServerLink:
    """Keeps a connection to the proxy server and gives it what it opens to `serve`."""

    def __init__(
        self,
        settings: Settings,
        serve: Callable[[Stream], Awaitable[None]],
        connector: Callable[[], aiohttp.BaseConnector] = aiohttp.TCPConnector,
        token_look_seconds: float = TOKEN_LOOK_SECONDS,
    ) -> None:
        self._settings = settings
        self._serve = serve
        self._connector = connector
        self._token_look_seconds = token_look_seconds
        self._connection: Connection | None = None
        self._registered: Announcement | None = None

    @property
    def ready(self) -> bool:
        """Whether the server knows that JupyterLab answers."""
        return self._connection is not None and self._registered is not None

    async def announce(self, announcement: Announcement) -> None:
        """Tell the server; a registration is told again on each new connection."""
        self._registered = None if announcement.type == "lost" else announcement
        if self._connection is not None:
            with contextlib.suppress(TunnelError):
                await self._connection.info(_message(announcement))

    async def run(self) -> None:
        """Dial, serve, and dial again after a pause that doubles while no connection lasts."""
        async with aiohttp.ClientSession(connector=self._connector()) as session:
            pause = SHORTEST_PAUSE_SECONDS
            while True:
                began = asyncio.get_running_loop().time()
                try:
                    await self._connect(session)
                    log.info("the proxy server ended the connection")
                except aiohttp.WSServerHandshakeError as error:
                    log.warning("the proxy server refused this agent: %s %s", error.status, error.message)
                except (aiohttp.ClientError, TunnelError, OSError) as error:
                    log.warning("no connection to %s: %s", self._settings.proxy_url, error)
                if asyncio.get_running_loop().time() - began > LONGEST_PAUSE_SECONDS:
                    pause = SHORTEST_PAUSE_SECONDS  # that was a connection, and not a refusal of what we said
                # Jitter, so that the agents of a server that restarts do not all come at once.
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _connect(self, session: aiohttp.ClientSession) -> None:
        token = self._token()
        url = self._settings.proxy_url.with_path(CONNECT_PATH)
        async with session.ws_connect(
            url,
            headers={"Authorization": f"Bearer {token}"},
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=MAX_FRAME_BYTES,
        ) as socket:
            connection = Connection(WebSocketPipe(socket), on_info=_ignore, serve=self._serve)
            await connection.info(self._hello())
            renewal = asyncio.create_task(self._renew(connection, token))
            self._connection = connection
            try:
                if self._registered is not None:
                    await connection.info(_message(self._registered) | {"type": "registered"})
                log.info("connected to %s as %s", self._settings.proxy_url, self._settings.name)
                await connection.run()
            finally:
                self._connection = None
                renewal.cancel()

    async def _renew(self, connection: Connection, token: str) -> None:
        # The connection ends with its token. Renewing it here keeps the kernels' WebSockets open.
        while True:
            await asyncio.sleep(self._token_look_seconds)
            with contextlib.suppress(TunnelError, OSError):
                newest = self._token()
                if newest != token:
                    token = newest
                    await connection.info({"type": "token", "token": token})

    def _hello(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "type": "hello",
            "name": settings.name,
            "user": settings.user,
            "email": settings.email,
            "instance": settings.pod_uid,
        }

    def _token(self) -> str:
        return self._settings.proxy_token_file.read_text().strip()


def _message(announcement: Announcement) -> dict[str, Any]:
    message: dict[str, Any] = {
        "type": announcement.type,
        "registeredAt": announcement.registered_at.isoformat(),
    }
    if announcement.last_activity is not None:
        message["lastActivity"] = announcement.last_activity.isoformat()
    return message


async def _ignore(message: dict[str, Any]) -> None:
    log.debug("the server says %s", message.get("type"))
