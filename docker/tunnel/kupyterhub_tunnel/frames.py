"""The frames on the connection between agent and server; pure.

A WebSocket message holds one or more frames. A frame is one byte of kind, four bytes of stream id, four of the
payload's length (big endian), and the payload. Stream 0 is the connection itself. Only the server opens streams, so
ids need no parity.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from kupyterhub_tunnel.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 64 * 1024
"""Most payload of one DATA frame: small enough that streams take turns, large enough to be cheap."""

MAX_FRAME_BYTES = 1024 * 1024
"""Most bytes of any WebSocket message; `sender.BATCH_BYTES` and the largest head stay well below it."""

_HEADER = struct.Struct("!BII")
_CREDIT = struct.Struct("!I")


class Kind(IntEnum):
    """What a frame means."""

    INFO = 0
    """JSON about the connection (stream 0)."""
    OPEN = 1
    """A request's head (`heads`); opens the stream. If it has no body, nothing but a WebSocket's messages follows."""
    HEAD = 2
    """The answer's head; once, before any DATA of the answerer."""
    DATA = 3
    """Bytes of a body, or of a WebSocket's messages."""
    END = 4
    """The sender has no more DATA; the other direction goes on."""
    RESET = 5
    """The sender gives up the stream; UTF-8 reason. Frames on the way are ignored."""
    CREDIT = 6
    """The receiver has consumed this many bytes of DATA, four bytes big endian."""


_KINDS = tuple(Kind)


class Frame(NamedTuple):
    """One frame."""

    kind: Kind
    stream: int
    payload: bytes = b""

    def header(self) -> bytes:
        """Give what precedes the payload."""
        return _HEADER.pack(self.kind, self.stream, len(self.payload))


def decode(message: bytes) -> Iterator[Frame]:
    """Read a WebSocket message; raises ProtocolError for anything that is no frames."""
    at, size = 0, len(message)
    try:
        while at < size:
            kind, stream, length = _HEADER.unpack_from(message, at)
            begin = at + _HEADER.size
            at = begin + length
            if at > size:
                raise ProtocolError("a frame was cut short")
            yield Frame(_KINDS[kind], stream, message[begin:at])
    except (struct.error, IndexError) as error:
        raise ProtocolError(f"a message of {size} bytes is no frames of this protocol") from error


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
