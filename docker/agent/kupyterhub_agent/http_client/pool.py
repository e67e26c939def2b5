"""The connections to JupyterLabs: those that are idle are kept for a while, for the next request to the same one."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from kupyterhub_agent.http_client.connection import Connection
from kupyterhub_agent.http_client.errors import Stale, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_agent.http_client.request import Request

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
"""So long at least, and at most twice as long, a connection is kept that nobody uses."""

log = logging.getLogger(__name__)

Address = tuple[str, int]


class Pool:
    """Any number of connections to any number of notebooks. Whoever has it closes it."""

    def __init__(self) -> None:
        self._idle: dict[Address, list[Connection]] = {}
        self._older: set[Connection] = set()
        self._timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Close what is idle."""
        if self._timer is not None:
            self._timer.cancel()
        for kept in self._idle.values():
            for connection in kept:
                connection.close()
        self._idle.clear()

    @asynccontextmanager
    async def exchange(self, address: Address, request: Request) -> AsyncIterator[Connection]:
        """Send a request, and give the connection on which its answer has begun; raises HttpError.

        Leaving breaks off what is not read to its end.
        """
        try:
            connection, uploading = await self._asked(address, request)
        except Stale:
            if not request.repeatable:
                raise
            self._forget(address)
            connection, uploading = await self._asked(address, request)
        try:
            yield connection
        finally:
            self._let_go(address, connection, uploading)

    async def _asked(self, address: Address, request: Request) -> tuple[Connection, asyncio.Task[None] | None]:
        connection = self._kept(address) or await _connected(address)
        uploading = None
        try:
            await connection.send(request)
            if request.body is not None:
                uploading = asyncio.create_task(_upload(connection, request))
            await connection.head()
        except BaseException:
            self._let_go(address, connection, uploading, keep=False)
            raise
        return connection, uploading

    def _kept(self, address: Address) -> Connection | None:
        kept = self._idle.get(address, [])
        while kept:
            connection = kept.pop()
            if connection.reusable:
                return connection
        return None

    def _let_go(
        self, address: Address, connection: Connection, uploading: asyncio.Task[None] | None, *, keep: bool = True
    ) -> None:
        if uploading is not None:
            uploading.cancel()
        if not keep or not connection.reusable:
            connection.close()
            return
        self._idle.setdefault(address, []).append(connection)
        self._older.discard(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._clear)

    def _forget(self, address: Address) -> None:
        """Close all to one notebook: it has closed one, so it may have been started anew."""
        for connection in self._idle.pop(address, ()):
            connection.close()

    def _clear(self) -> None:
        """Close what has been idle since the last time."""
        self._timer = None
        kept = {
            address: [each for each in connections if each not in self._older and each.reusable]
            for address, connections in self._idle.items()
        }
        for address, connections in self._idle.items():
            for connection in connections:
                if connection not in kept[address]:
                    connection.close()
        self._idle = {address: connections for address, connections in kept.items() if connections}
        self._older = {connection for connections in self._idle.values() for connection in connections}
        if self._idle:
            self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._clear)


async def _upload(connection: Connection, request: Request) -> None:
    try:
        await connection.upload(request)
    except Exception as error:  # noqa: BLE001 - whatever it was, the request is not whole
        log.debug("an upload ended early: %s", error)
        connection.close()


async def _connected(address: Address) -> Connection:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await asyncio.get_running_loop().create_connection(Connection, *address)
    except OSError as error:  # TimeoutError is one
        raise Unreachable(f"no connection to JupyterLab ({type(error).__name__})") from error
    return connection
