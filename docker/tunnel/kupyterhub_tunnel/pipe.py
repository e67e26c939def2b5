"""What carries frames: a WebSocket, or a twin in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.pieces import READ_BYTES
from kupyterhub_tunnel.websocket import GOING_AWAY, Close
from kupyterhub_tunnel.websocket_frames import Opcode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kupyterhub_tunnel.errors import TunnelError
    from kupyterhub_tunnel.pieces import Bytes
    from kupyterhub_tunnel.websocket import WebSocket
    from kupyterhub_tunnel.websocket_frames import Piece

HEARTBEAT_SECONDS = 20.0
"""Both sides ping this often, so that a peer that vanished without a word is noticed."""


class Pipe(Protocol):
    """An ordered, reliable stream of bytes in both directions."""

    def start(self, take: Callable[[Bytes], None], ended: Callable[[TunnelError | None], None]) -> None:
        """Give on what arrives to `take`, which may raise ProtocolError, and once to `ended` that nothing follows."""

    def send(self, data: Sequence[Bytes]) -> None:
        """Send bytes soon; raises ConnectionLost."""

    @property
    def full(self) -> bool:
        """Whether the peer is slow."""

    async def room(self) -> None:
        """Wait while it is."""

    def pause(self) -> None:
        """Let nothing arrive for now, but for what has been read."""

    def resume(self) -> None:
        """Let it arrive again."""

    async def close(self) -> None:
        """Send what is on its way and end the connection; harmless when it has ended."""


class WebSocketPipe:
    """A Pipe over a WebSocket: its binary messages, whose bounds mean nothing. A Receiver of its socket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self.room = socket.room
        self.pause = socket.pause
        self.resume = socket.resume

    def start(self, take: Callable[[Bytes], None], ended: Callable[[TunnelError | None], None]) -> None:
        """Give on what arrives."""
        self._take = take
        self._ended = ended
        self._socket.start(self)

    def send(self, data: Sequence[Bytes]) -> None:
        """Send bytes as one message."""
        self._socket.send(Opcode.BINARY, data)

    @property
    def full(self) -> bool:
        """Whether the peer is slow."""
        return self._socket.full

    async def close(self) -> None:
        """Say goodbye."""
        await self._socket.close(Close(GOING_AWAY))

    @property
    def wants(self) -> int:
        """As many as there are: each stream bounds its own."""
        return READ_BYTES

    def take(self, piece: Piece) -> None:
        """Take in bytes of a message."""
        if piece.opcode is Opcode.TEXT:
            raise ProtocolError("this protocol has binary messages only")
        self._take(piece.payload)

    def writable(self) -> None:
        """Nothing: who waits for room is woken by the socket."""

    def closed(self, close: Close, failure: ProtocolError | None) -> None:
        """Pass on that nothing follows."""
        del close
        self._ended(failure)
