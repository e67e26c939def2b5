"""One request on the connection, seen from either end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kupyterhub_tunnel.errors import ProtocolError, StreamReset, TunnelError
from kupyterhub_tunnel.flow import ReceiveBuffer, SendWindow
from kupyterhub_tunnel.frames import CHUNK_BYTES, Frame, Kind, credit, credit_size
from kupyterhub_tunnel.heads import AnswerHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from kupyterhub_tunnel.heads import RequestHead


class Stream:
    """Two directions of bytes and one head each.

    Whoever is done with a stream calls `release`, whatever happened: it tells the peer when that was early.
    """

    def __init__(self, number: int, opening: RequestHead, send: Callable[[Frame], Awaitable[None]]) -> None:
        self.number = number
        self.opening = opening
        """The request that opened it."""
        self._send = send
        self._window = SendWindow()
        self._buffer = ReceiveBuffer()
        self._head: asyncio.Future[AnswerHead] = asyncio.get_running_loop().create_future()
        self._sent_end = False
        self._failure: TunnelError | None = None

    @property
    def failed(self) -> bool:
        """Whether the stream was reset, by either end or by the loss of the connection."""
        return self._failure is not None

    @property
    def finished(self) -> bool:
        """Whether nothing more will be sent or received."""
        return self.failed or (self._sent_end and self._buffer.ended)

    async def head(self) -> AnswerHead:
        """Wait for the answer's head."""
        return await asyncio.shield(self._head)

    async def send_head(self, head: AnswerHead) -> None:
        """Send the answer's head."""
        await self._checked_send(Frame(Kind.HEAD, self.number, head.encode()))

    async def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; waits until the peer has room for them."""
        view = memoryview(data)
        while view:
            size = await self._window.take(min(len(view), CHUNK_BYTES))
            await self._checked_send(Frame(Kind.DATA, self.number, bytes(view[:size])))
            view = view[size:]

    async def end(self) -> None:
        """Say that this direction is complete."""
        if not self._sent_end:
            self._sent_end = True
            await self._checked_send(Frame(Kind.END, self.number))

    async def read(self) -> bytes:
        """Give the next bytes of the peer's, or none at the end; raises StreamReset, ConnectionLost."""
        chunk = await self._buffer.read()
        granted = self._buffer.grant()
        if granted and not self.failed:
            await self._send(credit(self.number, granted))
        return chunk

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give all bytes of the peer's."""
        while chunk := await self.read():
            yield chunk

    async def reset(self, reason: str) -> None:
        """Give up the stream and tell the peer why."""
        if not self.finished:
            self.fail(StreamReset(reason))
            await self._send(Frame(Kind.RESET, self.number, reason.encode()))

    async def release(self) -> None:
        """Let go of the stream; one that is not finished is reset."""
        await self.reset("no longer wanted")

    def receive(self, frame: Frame) -> None:
        """Take in a frame of the peer's; raises ProtocolError."""
        match frame.kind:
            case Kind.DATA:
                self._buffer.feed(frame.payload)
            case Kind.CREDIT:
                self._window.give(credit_size(frame))
            case Kind.END:
                self._buffer.end()
            case Kind.HEAD if not self._head.done():
                self._head.set_result(AnswerHead.decode(frame.payload))
            case Kind.RESET if self._buffer.ended:
                # As a server does that refuses a large upload: what it has said stays readable.
                self._sent_end = True
                self._window.fail(StreamReset(frame.payload.decode(errors="replace")))
            case Kind.RESET:
                self.fail(StreamReset(frame.payload.decode(errors="replace")))
            case _:
                raise ProtocolError(f"unexpected {frame.kind.name} on stream {frame.stream}")

    def fail(self, failure: TunnelError) -> None:
        """Wake everyone who waits on this stream with `failure`."""
        self._failure = self._failure or failure
        self._window.fail(failure)
        self._buffer.fail(failure)
        if not self._head.done():
            self._head.set_exception(failure)
            self._head.exception()  # nobody may be waiting; that is no mistake

    async def _checked_send(self, frame: Frame) -> None:
        if self._failure is not None:
            raise self._failure
        await self._send(frame)
