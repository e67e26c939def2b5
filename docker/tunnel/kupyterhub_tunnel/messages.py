"""The WebSocket messages of one stream: their framing on a stream of bytes.

A message is one byte of type, four bytes of length (big endian), the content. A CLOSE holds its code (two
bytes) and reason, as in RFC 6455, and is the last one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.websocket_frames import Opcode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kupyterhub_tunnel.pieces import Bytes

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""Most bytes of one WebSocket message; a longer one closes its WebSocket with 1009.

It is held whole and must fit an agent's memory limit. A large output of a cell is one message.
"""

_HEADER = struct.Struct("!BI")
_CODE = struct.Struct("!H")


_TYPES = {int(kind): kind for kind in (Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE)}


class Message(NamedTuple):
    """One message."""

    type: Opcode
    """TEXT, BINARY or CLOSE; by the numbers that they have in RFC 6455."""
    content: bytes

    def encode(self) -> bytes:
        """Give it as it is on the stream."""
        return _HEADER.pack(self.type, len(self.content)) + self.content

    @classmethod
    def close(cls, code: int, reason: str) -> Message:
        """Make the last message."""
        return cls(Opcode.CLOSE, _CODE.pack(code) + reason.encode())

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
        self._wanted = 0
        """So many bytes the message has that is held in part, as far as is known."""

    def feed(self, data: Bytes) -> Iterator[Message]:
        """Take in bytes; give each message that is whole. Raises ProtocolError."""
        if self._held:
            self._held += data
            if len(self._held) < self._wanted:
                return
            data, self._held = self._held, bytearray()
        at, size = 0, len(data)
        self._wanted = _HEADER.size
        while size - at >= _HEADER.size:
            kind, length = _HEADER.unpack_from(data, at)
            if length > MAX_MESSAGE_BYTES or kind not in _TYPES:
                raise ProtocolError(f"a WebSocket message of type {kind} and {length} bytes is not allowed")
            begin = at + _HEADER.size
            end = begin + length
            if end > size:
                self._wanted = end - at
                break
            at = end
            yield Message(_TYPES[kind], bytes(memoryview(data)[begin:end]))
        self._held += memoryview(data)[at:]
