"""A live WebSocket, straight on the transport that aiohttp's handshake leaves.

aiohttp's own reads by a task, a queue and a future for each message. Here what arrives is given on at once, and what
is sent is in the transport's buffer when `send` returns. `picows` needs half of the CPU (2.3: 27 to 36 µs an echo,
ours 49 to 57), but gives a frame once it is whole, and Jupyter sends each message as one: an unfinished one of 70 MiB
took 70 MiB of memory, where an agent has 256 for 128 WebSockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kupyterhub_tunnel.errors import ConnectionLost, ProtocolError
from kupyterhub_tunnel.pieces import read, reading_to, room
from kupyterhub_tunnel.websocket_frames import FrameReader, Opcode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kupyterhub_tunnel.pieces import Bytes
    from kupyterhub_tunnel.websocket_frames import Piece

CLOSE_SECONDS = 2.0
"""So long a peer may take to answer a close; one that hangs must not hold up our own end."""

OK = 1000
GOING_AWAY = 1001
PROTOCOL_ERROR = 1002
NO_TEXT = 1007
ABNORMAL = 1006
"""Never sent: the connection ended without a close."""

_LARGE_BYTES = 16 * 1024
_SLICE_BYTES = 16 * 1024
_AT_ONCE = 32
"""So many messages are given on before others have their turn."""
NO_CODE = 1005
"""Never sent either: the close had no code."""
_CODES = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})
_CODE = struct.Struct("!H")
_MOST_REASON_BYTES = 123


class Close(NamedTuple):
    """How a WebSocket was closed."""

    code: int
    reason: str = ""


class Receiver(Protocol):
    """What takes what arrives. Nothing here may wait; who cannot keep up pauses the socket."""

    @property
    def wants(self) -> int:
        """How many bytes are best given at once."""

    def take(self, piece: Piece) -> None:
        """Take in bytes of a message; raises ProtocolError, which ends the WebSocket."""

    def writable(self) -> None:
        """Note that the peer takes more, after it was slow."""

    def closed(self, close: Close, failure: ProtocolError | None) -> None:
        """Note, once, that nothing follows: the peer has closed, vanished, or broken the protocol."""


class WebSocket(asyncio.BufferedProtocol):
    """Either end of a WebSocket. It reads once it was started."""

    def __init__(
        self, transport: asyncio.Transport, *, client: bool, heartbeat_seconds: float | None, early: bytes = b""
    ) -> None:
        """`early` came with the handshake."""
        self._transport = transport
        self._client = client
        self._reader = FrameReader(masked=not client)
        self._body: bytearray | None = None
        self._rest = self._sliced(early) if early else None
        self._before = transport.get_protocol()
        self._receiver: Receiver | None = None
        self._seconds = heartbeat_seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._reading = False
        self._heard = True
        self._pong: bytes | None = None
        self._said_close = False
        self._over = False
        self._room = asyncio.Event()
        self._room.set()
        self._gone = asyncio.Event()
        self.pause()
        transport.set_protocol(self)

    @property
    def full(self) -> bool:
        """Whether the peer is slow: who can, waits."""
        return not self._room.is_set()

    def limit(self, unsent: int) -> None:
        """Have a peer be slow that has not taken so many bytes: there may be many like it."""
        self._transport.set_write_buffer_limits(unsent)

    def start(self, receiver: Receiver) -> None:
        """Give on what arrives."""
        self._receiver = receiver
        if self._gone.is_set():
            self._end(Close(ABNORMAL))
            return
        if self._seconds is not None:
            self._timer = self._loop.call_later(self._seconds, self._beat)
        self._reading = self._heard = True
        self._go_on()

    def send(self, opcode: Opcode, payload: Sequence[Bytes], *, final: bool = True) -> None:
        """Send a message, a fragment of one or a control frame soon; raises ConnectionLost."""
        if self._said_close or self._transport.is_closing():
            raise ConnectionLost("the WebSocket has ended")
        parts = encode(opcode, payload, masked=self._client, final=final)
        # One small buffer costs the kernel less than many.
        if sum(map(len, parts)) < _LARGE_BYTES:
            self._transport.write(b"".join(parts))
        else:
            self._transport.writelines(parts)

    async def room(self) -> None:
        """Wait while the peer is slow."""
        await self._room.wait()

    def pause(self) -> None:
        """Give nothing more on for now, and read no more."""
        self._reading = False
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on."""
        self._reading = self._heard = True
        self._loop.call_soon(self._go_on)

    async def close(self, close: Close) -> None:
        """Send what is on its way and a close, wait for the peer's, and end; harmless when it has ended."""
        self.resume()
        self._say(close)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._gone.wait()
        self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give where to read to."""
        del sizehint
        wanted = self._receiver.wants if self._receiver is not None else 0
        self._body = room(self._reader.left, wanted)
        return reading_to(self._body, wanted)

    def buffer_updated(self, nbytes: int) -> None:
        """Read frames."""
        self._heard = True
        if self._body is None:
            self._give(self._reader.feed(read(nbytes)))
        else:
            body, self._body = self._body, None
            self._give(iter((self._reader.fill(body, nbytes),)))

    def _sliced(self, data: bytes) -> Iterator[Piece]:
        for at in range(0, len(data), _SLICE_BYTES):
            yield from self._reader.feed(data[at : at + _SLICE_BYTES])

    def _go_on(self) -> None:
        """Give on what waits, then read, unless who takes it has paused."""
        if not self._reading:
            return
        self._heard = True
        rest, self._rest = self._rest, None
        if rest is not None:
            self._give(rest)
        if self._rest is None and self._reading:
            if self._gone.is_set():
                self._end(Close(ABNORMAL))
            elif not self._transport.is_closing():
                self._transport.resume_reading()

    def _give(self, pieces: Iterator[Piece]) -> None:
        """Give on what was read, as far as it is taken and others need not wait; the rest stays as it came."""
        try:
            for count, piece in enumerate(pieces, 1):
                if piece.opcode < Opcode.CLOSE:
                    if self._receiver is not None and not self._over:
                        self._receiver.take(piece)
                elif self._control(piece):
                    return
                if not self._reading or count == _AT_ONCE:
                    self._wait(pieces)
                    return
        except ProtocolError as error:
            close = Close(NO_TEXT if isinstance(error.__cause__, UnicodeError) else PROTOCOL_ERROR)
            self._say(close)
            self._end(close, error)
            self._transport.close()

    def _wait(self, rest: Iterator[Piece]) -> None:
        self._rest = rest
        if not self._transport.is_closing():
            self._transport.pause_reading()
        if self._reading:
            self._loop.call_soon(self._go_on)

    def eof_received(self) -> None:
        """Have the transport closed: nobody leaves a WebSocket half open."""

    def pause_writing(self) -> None:
        """Note that the transport's buffer is full."""
        self._room.clear()

    def resume_writing(self) -> None:
        """Note that it is not any more."""
        self._room.set()
        self._answer_ping()
        if self._receiver is not None and not self._over:
            self._receiver.writable()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everyone, aiohttp too."""
        if self._timer is not None:
            self._timer.cancel()
        self._room.set()
        self._gone.set()
        if self._rest is None:
            self._end(Close(ABNORMAL))
        self._before.connection_lost(exc)

    def _control(self, piece: Piece) -> bool:
        """Answer a control frame; say whether nothing follows."""
        if piece.opcode is Opcode.PING:
            self._pong = bytes(piece.payload)
            self._answer_ping()
        elif piece.opcode is Opcode.CLOSE:
            close = _close(bytes(piece.payload))
            self._say(close)
            self._end(close)
            self._transport.close()
            return True
        return False

    def _answer_ping(self) -> None:
        """Answer the last ping, once the peer reads: of those before, no answer is owed (RFC 6455, 5.5.3)."""
        if self._pong is not None and not self.full:
            pong, self._pong = self._pong, None
            with contextlib.suppress(ConnectionLost):
                self.send(Opcode.PONG, (pong,))

    def _say(self, close: Close) -> None:
        with contextlib.suppress(ConnectionLost):
            payload = b"" if close.code == NO_CODE else _CODE.pack(close.code) + _cut(close.reason)
            self.send(Opcode.CLOSE, (payload,))
        self._said_close = True

    def _end(self, close: Close, failure: ProtocolError | None = None) -> None:
        if not self._over and self._receiver is not None:
            self._over = True
            self._receiver.closed(close, failure)

    def _beat(self) -> None:
        """Ping, so that a peer that vanished without a word is noticed."""
        if self._reading and not self._heard:
            self._transport.abort()
            return
        self._heard = False
        with contextlib.suppress(ConnectionLost):
            self.send(Opcode.PING, ())
        self._timer = self._loop.call_later(self._seconds or 0, self._beat)


def _close(payload: bytes) -> Close:
    if not payload:
        return Close(NO_CODE)
    if len(payload) < _CODE.size:
        raise ProtocolError("the code of a WebSocket's close has two bytes")
    (code,) = _CODE.unpack_from(payload)
    if code not in _CODES:
        raise ProtocolError(f"a WebSocket is not closed with {code}")
    try:
        return Close(code, payload[_CODE.size :].decode())
    except UnicodeError as error:
        raise ProtocolError("the reason of a WebSocket's close is text") from error


def _cut(reason: str) -> bytes:
    return reason.encode()[:_MOST_REASON_BYTES].decode(errors="ignore").encode()
