"""One WebSocket to JupyterLab on behalf of a page that can only send requests."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType

from kupyterhub_agent.shim.messages import Closing, Message

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    Socket = aiohttp.ClientWebSocketResponse[Any]

MOST_QUEUED_BYTES = 1024 * 1024
"""What waits for a poll; while it is more, nothing is read from JupyterLab, which then waits too."""

_LOST = Closing(WSCloseCode.ABNORMAL_CLOSURE)
_GONE = Closing(WSCloseCode.GOING_AWAY)


class Session:
    """One WebSocket. `expired` is told when the page has not polled for too long; then it is closed already."""

    def __init__(self, expired: Callable[[], None], idle_seconds: float) -> None:
        self.subprotocol = ""
        self.closing: Closing | None = None
        """How JupyterLab closed it, once it has."""
        self._expired = expired
        self._idle_seconds = idle_seconds
        self._socket: Socket | None = None
        self._reading: asyncio.Task[None] | None = None
        self._queue: deque[Message] = deque()
        self._queued = 0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._expiry: asyncio.TimerHandle | None = None
        self._polls = 0
        self._leaving = _GONE

    async def open(self, opening: AbstractAsyncContextManager[Socket]) -> None:
        """Open it; raises aiohttp.ClientError."""
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(opening, opened))
        try:
            await asyncio.wait({self._reading, opened}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._reading.cancel()
            raise
        if not opened.done():
            self._reading.result()
        self._expect_poll()

    async def send(self, message: Message) -> None:
        """Send a message to JupyterLab; waits while it is slow. Raises aiohttp.ClientError if it is closed."""
        if self._socket is None or self._socket.closed:
            raise aiohttp.ClientConnectionResetError("the WebSocket is closed")
        await self._socket.send_frame(message.data, WSMsgType.BINARY if message.binary else WSMsgType.TEXT)

    async def poll(self, seconds: float) -> list[Message]:
        """Wait for messages at most so long; none come once it is closed."""
        self._polls += 1
        self._expect_poll()
        try:
            if not self._queue and self.closing is None:
                self._arrived.clear()
                await asyncio.wait_for(self._arrived.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._polls -= 1
            self._expect_poll()
        messages = list(self._queue)
        self._queue.clear()
        self._queued = 0
        self._taken.set()
        return messages

    async def close(self, closing: Closing) -> None:
        """Close it, with the page's code or with that of a page that is lost."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._reading is not None:
            self._leaving = closing
            self._reading.cancel()
            await asyncio.wait({self._reading})

    async def _read(self, opening: AbstractAsyncContextManager[Socket], opened: asyncio.Future[None]) -> None:
        try:
            async with opening as socket:
                self._socket, self.subprotocol = socket, socket.protocol or ""
                opened.set_result(None)
                try:
                    await self._receive(socket)
                except asyncio.CancelledError:
                    await socket.close(code=self._leaving.code, message=self._leaving.reason.encode(errors="replace"))
                    raise
        except aiohttp.ClientError:
            if not opened.done():
                raise
        finally:
            self.closing = self.closing or _LOST
            self._arrived.set()

    async def _receive(self, socket: Socket) -> None:
        while self.closing is None:
            self._take(await socket.receive())
            while self._queued > MOST_QUEUED_BYTES:
                self._taken.clear()
                await self._taken.wait()

    def _take(self, received: aiohttp.WSMessage) -> None:
        match received.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                self._queue.append(Message(received.type is WSMsgType.BINARY, received.data))
                self._queued += len(received.data)
                self._arrived.set()
            case WSMsgType.CLOSE:
                self.closing = Closing(received.data or WSCloseCode.OK, received.extra or "")
            case _:
                self.closing = _LOST

    def _expect_poll(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        if not self._polls:
            self._expiry = asyncio.get_running_loop().call_later(self._idle_seconds, self._expire)

    def _expire(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._expired()
