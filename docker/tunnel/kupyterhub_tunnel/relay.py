"""A WebSocket of the browser's or the notebook's, joined to a stream: the same on both ends.

What arrives on one side is sent on the other at once, without a task; tasks come in where one side is slow.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from kupyterhub_tunnel.errors import ConnectionLost, ProtocolError, TunnelError
from kupyterhub_tunnel.messages import Fragment, FragmentReader
from kupyterhub_tunnel.pieces import Pieces
from kupyterhub_tunnel.websocket import ABNORMAL, GOING_AWAY, NO_CODE, OK, Close
from kupyterhub_tunnel.websocket_frames import Opcode

if TYPE_CHECKING:
    from kupyterhub_tunnel.stream import Stream
    from kupyterhub_tunnel.websocket import WebSocket
    from kupyterhub_tunnel.websocket_frames import Piece

CLOSE_SECONDS = 5.0
_UNSENT_BYTES = 32 * 1024
_LOST = Close(1011)


async def relay(socket: WebSocket, stream: Stream) -> None:
    """Carry messages both ways until one side closes; tell the other side the same code and reason.

    Raises nothing of the tunnel's: one that ends closes the WebSocket with 1011.
    """
    relaying = _Relay(socket, stream)
    socket.limit(_UNSENT_BYTES)
    socket.start(relaying)
    stream.listen(relaying.arrived)
    try:
        relaying.arrived()
        await relaying.end()
    finally:
        stream.listen(None)
        await relaying.stop()


class _Relay:
    """The Receiver of the socket, and the listener of the stream."""

    def __init__(self, socket: WebSocket, stream: Stream) -> None:
        self._socket = socket
        self._stream = stream
        loop = asyncio.get_running_loop()
        self._socket_closed: asyncio.Future[Close] = loop.create_future()
        self._stream_closed: asyncio.Future[Close] = loop.create_future()
        self._reader = FragmentReader()
        self._in_message = False
        self._stopped = False
        self._backlog = Pieces()
        self._draining: asyncio.Task[None] | None = None

    async def end(self) -> None:
        """Wait until one side closes, and close the other."""
        await asyncio.wait({self._socket_closed, self._stream_closed}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if self._stream_closed.done():
                code, reason = self._stream_closed.result()
                await self._socket.close(Close(_sendable(code), reason))
                await self._stream.end()
            else:
                await self._tell(self._socket_closed.result())
        except TunnelError:
            await self._socket.close(_LOST)

    async def stop(self) -> None:
        """Let go of the socket, and of all that it says from now on."""
        self._stopped = True
        self._backlog.clear()
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.wait({self._draining})
        await self._socket.close(Close(GOING_AWAY))

    @property
    def wants(self) -> int:
        """As many as can go on at once: the rest would be held here."""
        return self._stream.window

    def take(self, piece: Piece) -> None:
        """Send a part of a message of the socket's on."""
        if self._stopped or self._stream_closed.done() or self._socket_closed.done():
            return
        if not piece.payload and not piece.final:
            return
        opcode = Opcode.CONTINUATION if self._in_message else piece.opcode
        self._in_message = not piece.final
        self._pass_on(Fragment(opcode, piece.payload, piece.final).encode())

    def writable(self) -> None:
        """Go on after the socket was slow."""
        self.arrived()

    def closed(self, close: Close, failure: ProtocolError | None) -> None:
        """Note how the socket has ended."""
        del failure
        if not self._socket_closed.done():
            self._socket_closed.set_result(close)

    def arrived(self) -> None:
        """Send on what has come by the stream, while the socket takes it."""
        try:
            while not self._socket.full and not self._stream_closed.done():
                data = self._stream.take()
                if data is None:
                    return
                if not data:
                    self._stream_closed.set_result(_LOST)
                for fragment in self._reader.feed(data):
                    if fragment.opcode is Opcode.CLOSE:
                        self._stream_closed.set_result(Close(*fragment.close_code()))
                        return
                    self._socket.send(fragment.opcode, (fragment.content,), final=fragment.final)
        except ConnectionLost:
            self.closed(Close(ABNORMAL), None)
        except TunnelError:
            if not self._stream_closed.done():
                self._stream_closed.set_result(_LOST)

    def _pass_on(self, data: bytes) -> None:
        if self._draining is None:
            try:
                data = data[self._stream.write_now(data) :]
            except TunnelError:
                self.arrived()  # which sees it too
                return
            if not data:
                return
            self._socket.pause()
            self._draining = asyncio.create_task(self._drain())
        self._backlog.append(data)

    async def _drain(self) -> None:
        with contextlib.suppress(TunnelError):  # the other direction sees it too
            while self._backlog:
                await self._stream.write(self._backlog.take())
            self._draining = None
            self._socket.resume()

    async def _tell(self, close: Close) -> None:
        if self._draining is not None:
            await asyncio.wait({self._draining})
        await self._stream.write(Fragment.close(_sendable(close.code), close.reason).encode())
        await self._stream.end()
        self._stream.listen(None)
        # The peer closes its WebSocket now. Letting go of the stream before it has would cut that short.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while await self._stream.read():
                    pass


def _sendable(code: int) -> int:
    """Replace the codes that stand for no code and for no close: they cannot be sent."""
    return {NO_CODE: OK, ABNORMAL: GOING_AWAY}.get(code, code)
