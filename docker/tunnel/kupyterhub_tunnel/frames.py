"""The frames on the connection between agent and server; pure.

A frame is one byte of kind, four bytes of stream id, four of the payload's length (big endian), and the payload.
Stream 0 is the connection itself. Only the server opens streams, so ids need no parity. The bounds of the WebSocket's
messages mean nothing.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.pieces import part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kupyterhub_tunnel.pieces import Bytes

CHUNK_BYTES = 512 * 1024
"""Most payload of one DATA frame: small enough that streams take turns, large enough to be cheap."""

MAX_PAYLOAD_BYTES = 256 * 1024
"""Most payload of any other frame: they are read whole."""

_HEADER = struct.Struct("!BII")
_CREDIT = struct.Struct("!I")


class Kind(IntEnum):
    """What a frame means."""

    INFO = 0
    """JSON about the connection (stream 0)."""
    OPEN = 1
    """A request's head (`heads`); opens the stream. If it has no body, nothing but a WebSocket's messages follows."""
    HEAD = 2
    """The answer's head, after those of interim answers and before any DATA of the answerer."""
    DATA = 3
    """Bytes of a body, or of a WebSocket's messages."""
    END = 4
    """The sender has no more DATA; the other direction goes on."""
    RESET = 5
    """The sender gives up the stream; UTF-8 reason. Frames on the way are ignored."""
    CREDIT = 6
    """The receiver has consumed this many bytes of DATA, four bytes big endian."""


_KINDS = tuple(Kind)
_DATA = int(Kind.DATA)


class Frame(NamedTuple):
    """One frame."""

    kind: Kind
    stream: int
    payload: Bytes = b""
    """Of what is no DATA it is `bytes`."""

    def header(self) -> bytes:
        """Give what precedes the payload."""
        return _HEADER.pack(self.kind, self.stream, len(self.payload))


class FrameReader:
    """Reads frames off a stream of bytes. DATA that has arrived in part is given in pieces, each as a frame."""

    def __init__(self) -> None:
        self._held = b""
        # The DATA of which a part has arrived:
        self._stream = 0
        self._left = 0

    def feed(self, data: Bytes) -> Iterator[Frame]:
        """Take in bytes; raises ProtocolError for anything that is no frames."""
        at = 0
        if self._left:
            at = min(self._left, len(data))
            self._left -= at
            yield Frame(Kind.DATA, self._stream, part(data, 0, at))
        elif self._held:
            data = self._held + data
            self._held = b""
        size = len(data)
        while size - at >= _HEADER.size:
            number, stream, length = _HEADER.unpack_from(data, at)
            begin = at + _HEADER.size
            end = begin + length
            if number == _DATA:
                if end > size:
                    self._stream, self._left = stream, end - size
                    end = size
                payload = part(data, begin, end)
            elif number >= len(_KINDS) or length > MAX_PAYLOAD_BYTES:
                raise ProtocolError(f"a frame of kind {number} and {length} bytes is none of this protocol")
            elif end > size:
                break
            else:
                payload = bytes(data[begin:end])
            at = end
            yield Frame(_KINDS[number], stream, payload)
        self._held = bytes(data[at:])


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
