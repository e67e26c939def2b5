"""The frames on the connection between agent and server; pure.

One frame is one binary WebSocket message: one byte of kind, four bytes of stream id (big endian), the
payload. Stream 0 is the connection itself. Only the server opens streams, so ids need no parity.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from kupyterhub_tunnel.errors import ProtocolError

CHUNK_BYTES = 64 * 1024
"""Most payload of one DATA frame: small enough that streams take turns, large enough to be cheap."""

MAX_FRAME_BYTES = 1024 * 1024
"""Most bytes of any frame. Heads are the largest: browsers send some kilobytes of cookies and URL."""

_HEADER = struct.Struct("!BI")
_CREDIT = struct.Struct("!I")


class Kind(IntEnum):
    """What a frame means."""

    INFO = 0
    """JSON about the connection (stream 0), see `messages`."""
    OPEN = 1
    """JSON of a request's head; opens the stream."""
    HEAD = 2
    """JSON of the answer's head; once, before any DATA of the answerer."""
    DATA = 3
    """Bytes of a body, or of a WebSocket's messages."""
    END = 4
    """The sender has no more DATA; the other direction goes on."""
    RESET = 5
    """The sender gives up the stream; UTF-8 reason. Frames on the way are ignored."""
    CREDIT = 6
    """The receiver has consumed this many bytes of DATA, four bytes big endian."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    kind: Kind
    stream: int
    payload: bytes = b""

    def encode(self) -> bytes:
        """Give the bytes of the WebSocket message."""
        return _HEADER.pack(self.kind, self.stream) + self.payload


def decode(message: bytes) -> Frame:
    """Read a WebSocket message; raise ProtocolError for anything that is no frame."""
    try:
        kind, stream = _HEADER.unpack_from(message)
        return Frame(Kind(kind), stream, message[_HEADER.size :])
    except (struct.error, ValueError) as error:
        raise ProtocolError(f"a message of {len(message)} bytes is no frame of this protocol") from error


def credit(stream: int, size: int) -> Frame:
    """Say that `size` bytes of DATA were consumed."""
    return Frame(Kind.CREDIT, stream, _CREDIT.pack(size))


def credit_size(frame: Frame) -> int:
    """Read a CREDIT frame."""
    try:
        (size,) = _CREDIT.unpack(frame.payload)
    except struct.error as error:
        raise ProtocolError("a CREDIT frame has four bytes") from error
    return int(size)
