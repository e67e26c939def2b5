"""The WebSocket messages of one stream: their framing on a stream of bytes.

A message is one byte of type, four bytes of length (big endian), the content. A CLOSE holds its code (two
bytes) and reason, as in RFC 6455, and is the last one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from kupyterhub_tunnel.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Most bytes of one WebSocket message; a longer one closes its WebSocket with 1009.

It is held whole and must fit an agent's memory limit. A large output of a cell is one message.
"""

_HEADER = struct.Struct("!BI")
_CODE = struct.Struct("!H")


class Type(IntEnum):
    """What a message is."""

    TEXT = 1
    BINARY = 2
    CLOSE = 8


_TYPES = {int(kind): kind for kind in Type}


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    type: Type
    content: bytes

    def header(self) -> bytes:
        """Give what precedes the content on the stream."""
        return _HEADER.pack(self.type, len(self.content))

    @classmethod
    def close(cls, code: int, reason: str) -> Message:
        """Make the last message."""
        return cls(Type.CLOSE, _CODE.pack(code) + reason.encode())

    def close_code(self) -> tuple[int, str]:
        """Read a CLOSE; raises ProtocolError."""
        try:
            (code,) = _CODE.unpack_from(self.content)
        except struct.error as error:
            raise ProtocolError("a CLOSE message has a code") from error
        return code, self.content[_CODE.size :].decode(errors="replace")


class MessageReader:
    """Takes messages off a stream."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take in bytes; give each message that is whole. Raises ProtocolError."""
        self._held += data
        while len(self._held) >= _HEADER.size:
            kind, size = _HEADER.unpack_from(self._held)
            if size > MAX_MESSAGE_BYTES or kind not in _TYPES:
                raise ProtocolError(f"a WebSocket message of type {kind} and {size} bytes is not allowed")
            end = _HEADER.size + size
            if len(self._held) < end:
                return
            content = bytes(memoryview(self._held)[_HEADER.size : end])
            del self._held[:end]
            yield Message(_TYPES[kind], content)
