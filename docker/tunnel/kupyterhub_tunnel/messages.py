"""The WebSocket messages of one stream: their framing on a stream of bytes.

A message is one fragment or several, as they came: no end gathers it, so none is too large. A fragment is one byte of
type, four bytes of length (big endian), the content. The type is an opcode of RFC 6455, and MORE with it says that
the message goes on; what continues one is a CONTINUATION. A CLOSE holds its code (two bytes) and reason, as in
RFC 6455, and is the last one.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.pieces import part
from kupyterhub_tunnel.websocket_frames import Opcode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kupyterhub_tunnel.pieces import Bytes

MORE = 0x80
WHOLE_BYTES = 16 * 1024
"""A fragment of at most so many bytes is waited for; a larger one is given on as it arrives."""

_HEADER = struct.Struct("!BI")
_CODE = struct.Struct("!H")
_MOST_CLOSE_BYTES = 125
_OPCODES = {int(each): each for each in (Opcode.CONTINUATION, Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE)}


class Fragment(NamedTuple):
    """A part of a message, or all of it."""

    opcode: Opcode
    """TEXT, BINARY or CLOSE; CONTINUATION for all but a message's first."""
    content: Bytes
    final: bool = True
    """Whether the message ends here."""

    def encode(self) -> bytes:
        """Give it as it is on the stream."""
        kind = self.opcode if self.final else self.opcode | MORE
        return _HEADER.pack(kind, len(self.content)) + self.content

    @classmethod
    def close(cls, code: int, reason: str) -> Fragment:
        """Make the last one."""
        return cls(Opcode.CLOSE, _CODE.pack(code) + reason.encode())

    def close_code(self) -> tuple[int, str]:
        """Read a CLOSE; raises ProtocolError."""
        try:
            (code,) = _CODE.unpack_from(self.content)
        except struct.error as error:
            raise ProtocolError("a CLOSE message has a code") from error
        return code, bytes(self.content[_CODE.size :]).decode(errors="replace")


class FragmentReader:
    """Takes fragments off a stream."""

    def __init__(self) -> None:
        self._held: Bytes = b""
        self._open = False
        # Of a fragment that is given on as it arrives:
        self._opcode = Opcode.CONTINUATION
        self._left = 0
        self._final = False

    def feed(self, data: Bytes) -> Iterator[Fragment]:
        """Take in bytes; give what has come, in order. Raises ProtocolError."""
        if self._held:
            data, self._held = b"".join((self._held, data)), b""
        at, size = 0, len(data)
        while at < size:
            if self._left:
                end = min(at + self._left, size)
                self._left -= end - at
                yield Fragment(self._opcode, part(data, at, end), self._final and not self._left)
                self._opcode, at = Opcode.CONTINUATION, end
                continue
            if size - at < _HEADER.size:
                break
            opcode, length, final = self._header(*_HEADER.unpack_from(data, at))
            begin = at + _HEADER.size
            if length > WHOLE_BYTES:
                self._opcode, self._left, self._final, at = opcode, length, final, begin
            elif begin + length > size:
                break
            else:
                at = begin + length
                yield Fragment(opcode, part(data, begin, at), final)
            if opcode is not Opcode.CLOSE:
                self._open = not final
        self._held = bytes(memoryview(data)[at:])

    def _header(self, kind: int, length: int) -> tuple[Opcode, int, bool]:
        opcode, final = _OPCODES.get(kind & ~MORE), not kind & MORE
        if opcode is None or (opcode is Opcode.CLOSE and (length > _MOST_CLOSE_BYTES or not final)):
            raise ProtocolError(f"a WebSocket message of type {kind} and {length} bytes is not allowed")
        if opcode is not Opcode.CLOSE and (opcode is Opcode.CONTINUATION) is not self._open:
            raise ProtocolError("fragments of a WebSocket message are out of order")
        return opcode, length, final
