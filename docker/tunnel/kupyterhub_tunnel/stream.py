"""One request on the connection, seen from either end."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from kupyterhub_tunnel.errors import ProtocolError, StreamReset, TunnelError
from kupyterhub_tunnel.flow import ReceiveBuffer, SendWindow
from kupyterhub_tunnel.frames import CHUNK_BYTES, Frame, Kind, credit, credit_size
from kupyterhub_tunnel.heads import AnswerHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from kupyterhub_tunnel.flow import Windows
    from kupyterhub_tunnel.heads import RequestHead
    from kupyterhub_tunnel.pieces import Bytes
    from kupyterhub_tunnel.sender import Sender


_MOST_HEADS = 9
"""Of one answer: interim ones and its own."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What all streams of a connection have in common."""

    sender: Sender
    released: Callable[[int], None]
    """Is told the number of a stream that nobody has any more."""
    windows: Windows


class Stream:
    """Two directions of bytes and one head each.

    Whoever is done with a stream calls `release`, whatever happened: it tells the peer when that was early.
    """

    def __init__(self, number: int, opening: RequestHead, ends: Ends) -> None:
        self.number = number
        self.opening = opening
        """The request that opened it."""
        self._sender = ends.sender
        self._released = ends.released
        self._window = SendWindow(ends.windows.first)
        self._buffer = ReceiveBuffer(ends.windows, opening.name)
        self._asking = False
        self._heads: deque[AnswerHead] = deque()
        self._heads_left = _MOST_HEADS
        self._headed: asyncio.Future[None] | None = None
        self._sent_end = False
        self._failure: TunnelError | None = None

    @classmethod
    def asking(cls, number: int, head: RequestHead, ends: Ends) -> Self:
        """Open a stream: this end has the request."""
        stream = cls(number, head, ends)
        stream._asking = True
        stream._sent_end = not head.is_followed
        ends.sender.put(Frame(Kind.OPEN, number, head.encode()))
        return stream

    @classmethod
    def asked(cls, number: int, head: RequestHead, ends: Ends) -> Self:
        """Take in a stream that the peer opened: this end has the answer."""
        stream = cls(number, head, ends)
        if not head.is_followed:
            stream._buffer.end()
        return stream

    @property
    def window(self) -> int:
        """How many bytes may be on their way to the peer."""
        return self._window.size

    @property
    def failed(self) -> bool:
        """Whether the stream was reset, by either end or by the loss of the connection."""
        return self._failure is not None

    @property
    def finished(self) -> bool:
        """Whether nothing more will be sent or received."""
        return self.failed or (self._sent_end and self._buffer.ended)

    async def head(self) -> AnswerHead:
        """Wait for the answer's next head: those of interim answers come first. One task waits at a time."""
        if not self._asking:
            raise ProtocolError("this end gives the answer")
        while self._failure is None and not self._heads:
            self._headed = asyncio.get_running_loop().create_future()
            await self._headed
        if self._failure is not None:
            raise self._failure
        return self._heads.popleft()

    async def send_head(self, head: AnswerHead) -> None:
        """Send the answer's head."""
        self.hint(head)

    def hint(self, head: AnswerHead) -> None:
        """Send the head of an interim answer."""
        self._put(Frame(Kind.HEAD, self.number, head.encode()))

    async def write(self, data: Bytes) -> None:
        """Send bytes; waits until the peer has room for them."""
        at, size = 0, len(data)
        while at < size:
            taken = await self._window.take(min(size - at, CHUNK_BYTES))
            await self._sender.room()
            # A small body is sent as it is, a large one in pieces.
            self._put(Frame(Kind.DATA, self.number, data if taken == size else data[at : at + taken]))
            at += taken

    def write_now(self, data: Bytes) -> int:
        """Send at once what may be sent without waiting; give how many bytes that was."""
        if self._sender.full:
            return 0
        taken = self._window.take_now(min(len(data), CHUNK_BYTES))
        if taken:
            self._put(Frame(Kind.DATA, self.number, data if taken == len(data) else data[:taken]), at_once=True)
        return taken

    async def end(self) -> None:
        """Say that this direction is complete."""
        if not self._sent_end:
            self._sent_end = True
            self._put(Frame(Kind.END, self.number))

    def whole(self) -> bytes | None:
        """Give the rest of the peer's bytes if its end has come, else None."""
        return self._buffer.rest()

    async def read(self) -> Bytes:
        """Give the next bytes of the peer's, or none at the end; raises StreamReset, ConnectionLost."""
        chunk = await self._buffer.read()
        self._grant()
        return chunk

    def take(self) -> Bytes | None:
        """Give what `read` would, or None where it would wait."""
        chunk = self._buffer.take()
        self._grant()
        return chunk

    def listen(self, listener: Callable[[], None] | None) -> None:
        """Have it told at once when there is something to take, or a failure to see."""
        self._buffer.listener = listener

    def _grant(self) -> None:
        granted = self._buffer.grant()
        if granted and not self.failed:
            self._sender.put(credit(self.number, granted))

    async def chunks(self) -> AsyncIterator[Bytes]:
        """Give all bytes of the peer's."""
        while chunk := await self.read():
            yield chunk

    async def reset(self, reason: str) -> None:
        """Give up the stream and tell the peer why."""
        if not self.finished:
            self.fail(StreamReset(reason))
            self._sender.put(Frame(Kind.RESET, self.number, reason.encode()))

    async def release(self) -> None:
        """Let go of the stream; one that is not finished is reset."""
        try:
            await self.reset("no longer wanted")
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Forget a stream that nobody has any more; harmless when that was done."""
        self._buffer.release()
        self._released(self.number)

    def receive(self, frame: Frame) -> None:
        """Take in a frame of the peer's; raises ProtocolError."""
        match frame.kind:
            case Kind.DATA:
                self._buffer.feed(frame.payload)
            case Kind.CREDIT:
                self._window.give(credit_size(frame))
            case Kind.END:
                self._buffer.end()
            case Kind.HEAD if self._asking:
                self._take_head(AnswerHead.decode(bytes(frame.payload)))
            case Kind.RESET if self._buffer.ended:
                # As a server does that refuses a large upload: what it has said stays readable.
                self._sent_end = True
                self._window.fail(StreamReset(bytes(frame.payload).decode(errors="replace")))
            case Kind.RESET:
                self.fail(StreamReset(bytes(frame.payload).decode(errors="replace")))
            case _:
                raise ProtocolError(f"unexpected {frame.kind.name} on stream {frame.stream}")

    def lose(self, failure: TunnelError) -> None:
        """Note that the connection has ended. An answer that has arrived whole stays readable."""
        if self._asking and self._buffer.ended:
            self._sent_end = True
            self._window.fail(failure)
        else:
            self.fail(failure)

    def fail(self, failure: TunnelError) -> None:
        """Wake everyone who waits on this stream with `failure`."""
        self._failure = self._failure or failure
        self._window.fail(failure)
        self._buffer.fail(failure)
        self._wake()

    def _take_head(self, head: AnswerHead) -> None:
        if not self._heads_left or (head.interim and self._heads_left == 1):
            return  # one after the answer's own, or more interim ones than anybody needs
        self._heads_left = self._heads_left - 1 if head.interim else 0
        self._heads.append(head)
        self._wake()

    def _wake(self) -> None:
        if self._headed is not None and not self._headed.done():
            self._headed.set_result(None)

    def _put(self, frame: Frame, *, at_once: bool = False) -> None:
        if self._failure is not None:
            raise self._failure
        self._sender.put(frame, at_once=at_once)
