"""One connection to one replica of our proxy server, from its dialling to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from kupyterhub_agent.upgrade import upgraded
from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.dialling import CONNECT_PATH, PROTOCOL, REPLICA_HEADER, REPLICAS_HEADER, first_window
from kupyterhub_tunnel.errors import TunnelError
from kupyterhub_tunnel.flow import Budget, Windows
from kupyterhub_tunnel.pipe import HEARTBEAT_SECONDS, WebSocketPipe

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from yarl import URL

    from kupyterhub_agent.upgrade import Upgraded
    from kupyterhub_tunnel.stream import Stream

TOKEN_LOOK_SECONDS = 30.0
"""The kubelet renews a projected token long before its end; so often the file is looked at."""
_DIAL_SECONDS = 10.0

log = logging.getLogger(__name__)


class NoVisit(Exception):
    """There is no connection; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is dialled, and as which host."""

    url: URL
    host: URL
    """`scheme://agents.<domain>`: the server is asked for by this name, and its certificate is checked for it."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """What takes what the server sends."""

    serve: Callable[[Stream], Awaitable[None]]
    hear: Callable[[dict[str, Any]], Awaitable[None]]
    budget: Budget = field(default_factory=Budget)
    """Of the memory that all connections share."""


class Visit:
    """A connection that was made. Whoever has it runs or closes it."""

    def __init__(self, upgrade: Upgraded, token: str, token_file: Path, handlers: Handlers) -> None:
        """Take what `open` has made."""
        headers = upgrade.answer.headers
        self.replica = headers.get(REPLICA_HEADER, "")
        """Who answered: random for each process of the server."""
        self.replicas = _number(headers.get(REPLICAS_HEADER, ""))
        """How many there are."""
        self._answer = upgrade.answer  # aiohttp closes the connection of one that nobody holds
        self._pipe = WebSocketPipe(upgrade.socket)
        self._token = token
        self._token_file = token_file
        self._connection = Connection(
            self._pipe,
            Windows(handlers.budget, first_window(upgrade.subprotocol)),
            on_info=handlers.hear,
            serve=handlers.serve,
        )

    @classmethod
    async def open(cls, session: aiohttp.ClientSession, target: Target, token_file: Path, handlers: Handlers) -> Self:
        """Dial; raises NoVisit."""
        try:
            token = _read(token_file)
            async with asyncio.timeout(_DIAL_SECONDS):
                upgrade = await upgraded(
                    session,
                    target.url.with_path(CONNECT_PATH),
                    [("Authorization", f"Bearer {token}"), ("Host", str(target.host.host_port_subcomponent))],
                    subprotocols=(PROTOCOL,),
                    heartbeat_seconds=HEARTBEAT_SECONDS,
                    server_hostname=target.host.host if target.url.scheme == "https" else None,
                    timeout=aiohttp.ClientTimeout(),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise NoVisit(f"{target.url} refused this agent: {error.status} {error.message}") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NoVisit(f"no connection to {target.url}: {error or type(error).__name__}") from error
        return cls(upgrade, token, token_file, handlers)

    async def run(self, token_look_seconds: float = TOKEN_LOOK_SECONDS) -> None:
        """Serve what the server opens until the connection ends."""
        renewal = asyncio.create_task(self._renew(token_look_seconds))
        try:
            await self._connection.run()
        except TunnelError as error:
            log.warning("a connection to the proxy server: %s", error)
        finally:
            renewal.cancel()
            self._answer.close()

    async def tell(self, message: dict[str, Any]) -> None:
        """Send a message; one that finds the connection lost is told again to the next."""
        with contextlib.suppress(TunnelError):
            await self._connection.info(message)

    async def end(self) -> None:
        """Send what is on its way and end a connection that is run."""
        await self._connection.close()

    async def close(self) -> None:
        """End a connection that is not run."""
        await self._pipe.close()

    async def _renew(self, seconds: float) -> None:
        # The connection ends with its token. Renewing it here keeps the kernels' WebSockets open.
        while True:
            await asyncio.sleep(seconds)
            with contextlib.suppress(OSError):
                newest = _read(self._token_file)
                if newest != self._token:
                    self._token = newest
                    await self.tell({"type": "token", "token": newest})


def _read(token_file: Path) -> str:
    return token_file.read_text().strip()


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 1
