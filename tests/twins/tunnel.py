"""The tunnel between server and agent, in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.errors import TunnelError
from kupyterhub_tunnel.flow import Budget, Windows
from kupyterhub_tunnel.pieces import Bytes
from kupyterhub_tunnel.stream import Stream


class MemoryPipe:
    """One end of a pipe in memory. What arrives before `start` is kept."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.peer: MemoryPipe
        self._arrived: asyncio.Queue[bytes | None] = asyncio.Queue()

    def start(self, take: Callable[[Bytes], None], ended: Callable[[TunnelError | None], None]) -> None:
        self._giving = asyncio.create_task(self._give(take, ended))

    def send(self, data: Sequence[Bytes]) -> None:
        self.sent.append(b"".join(data))
        self.peer._arrived.put_nowait(self.sent[-1])

    full = False

    async def room(self) -> None:
        pass

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    async def close(self) -> None:
        self._arrived.put_nowait(None)
        self.peer._arrived.put_nowait(None)

    async def _give(self, take: Callable[[Bytes], None], ended: Callable[[TunnelError | None], None]) -> None:
        while (data := await self._arrived.get()) is not None:
            take(data)
        ended(None)


async def nothing(_: dict[str, Any]) -> None:
    pass


@contextlib.asynccontextmanager
async def connected(
    serve: Callable[[Stream], Awaitable[None]],
    on_info: Callable[[dict[str, Any]], Awaitable[None]] = nothing,
) -> AsyncIterator[tuple[Connection, Connection]]:
    """Give the ends that open (the server's) and that serve (the agent's)."""
    here, there = MemoryPipe(), MemoryPipe()
    here.peer, there.peer = there, here
    opening = Connection(here, Windows(Budget()), on_info=on_info)
    serving = Connection(there, Windows(Budget()), on_info=nothing, serve=serve)
    tasks = [asyncio.create_task(opening.run()), asyncio.create_task(serving.run())]
    try:
        yield opening, serving
    finally:
        await opening.close()
        await asyncio.wait_for(asyncio.gather(*tasks), 5)
