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
    from kupyterhub_tunnel.carrier import Channel

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Most bytes of one WebSocket message; a longer one closes its WebSocket with 1009.

It is held whole, since aiohttp gives messages and not their fragments, and must fit an agent's memory limit. A large
output of a cell is one message.
"""

_HEADER = struct.Struct("!BI")
_CODE = struct.Struct("!H")


class Type(IntEnum):
    """What a message is."""

    TEXT = 1
    BINARY = 2
    CLOSE = 8


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

    def __init__(self, stream: Channel) -> None:
        self._stream = stream
        self._held = bytearray()

    async def read(self) -> Message | None:
        """Give the next message, or None at the stream's end; raises TunnelError."""
        if not await self._fill(_HEADER.size):
            return None
        kind, size = _HEADER.unpack_from(self._held)
        if size > MAX_MESSAGE_BYTES or kind not in Type.__members__.values():
            raise ProtocolError(f"a WebSocket message of type {kind} and {size} bytes is not allowed")
        if not await self._fill(_HEADER.size + size):
            raise ProtocolError("a WebSocket message was cut short")
        content = bytes(self._held[_HEADER.size : _HEADER.size + size])
        del self._held[: _HEADER.size + size]
        return Message(Type(kind), content)

    async def _fill(self, wanted: int) -> bool:
        while len(self._held) < wanted:
            chunk = await self._stream.read()
            if not chunk:
                return False
            self._held += chunk
        return True
