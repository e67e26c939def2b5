"""Frames of WebSockets (RFC 6455) without extensions; pure.

What is masked is masked with keys that nobody can foresee, as the standard demands (5.3): with aiohttp's C function
that costs less than copying.
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from aiohttp._websocket.helpers import websocket_mask

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.pieces import LARGE_BYTES, filled, part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kupyterhub_tunnel.pieces import Bytes

VERSION = "13"
KEY_BYTES = 16
"""Of a Sec-WebSocket-Key, before base64."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_SIZE = 4
_SHORT = 125
_TWO_BYTES = 126
_EIGHT_BYTES = 127
_MOST_TWO_BYTES = 0xFFFF
_FIN = _MASKED = 0x80
_RESERVED = 0x70
_LENGTHS = {_TWO_BYTES: struct.Struct("!H"), _EIGHT_BYTES: struct.Struct("!Q")}
_CONTROL = 0x8


class Opcode(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


_OPCODES = {int(opcode): opcode for opcode in Opcode}
_WHOLE = {_FIN | opcode: opcode for opcode in (Opcode.TEXT, Opcode.BINARY)}
"""How most frames begin: they are whole messages."""


class Piece(NamedTuple):
    """Bytes of a message, or a whole control frame."""

    opcode: Opcode
    """Of the message: never CONTINUATION."""
    payload: Bytes
    final: bool
    """Whether the message ends here."""


class FrameReader:
    """Reads what the peer sends; pieces of messages come as they arrive and are not held."""

    def __init__(self, *, masked: bool) -> None:
        """`masked`: the peer is the client, who must mask, and not the server, who must not."""
        self._masked = masked
        self._mark = _MASKED if masked else 0
        self._held = b""
        self._message: Opcode | None = None
        # The frame of which a part has arrived:
        self._opcode = Opcode.CONTINUATION
        self._final = False
        self.left = 0
        """How many bytes of it are to come."""
        self._key = b""

    def fill(self, payload: bytearray, size: int) -> Piece:
        """Take in bytes of that frame which were read to the beginning of `payload`; it is given on, unmasked."""
        self.left -= size
        if self._masked:
            websocket_mask(self._key, payload)
            self._key = _turned(self._key, size)
        return Piece(self._opcode, filled(payload, size), self._final and not self.left)

    def feed(self, data: bytes) -> Iterator[Piece]:
        """Take in bytes; raises ProtocolError."""
        if self._held:
            data = self._held + data
            self._held = b""
        at, size = 0, len(data)
        while at < size:
            if not self.left:
                begin = self._begin(data, at)
                if begin == at:
                    self._held = data[at:]
                    return
                at = begin
            end = min(at + self.left, size)
            self.left -= end - at
            payload = self._unmasked(data, at, end)
            at = end
            yield Piece(self._opcode, payload, self._final and not self.left)

    def _begin(self, data: bytes, at: int) -> int:
        """Read a frame's beginning; give where its payload begins, or `at` if not enough of it has arrived."""
        size = len(data)
        if size < at + 2:
            return at
        first, second = data[at], data[at + 1]
        length, begin = second & ~_MASKED, at + 2
        if length > _SHORT:
            form = _LENGTHS[length]
            begin += form.size
            if size < begin:
                return at
            (length,) = form.unpack_from(data, at + 2)
        if second & _MASKED:
            begin += _KEY_SIZE
        if size < begin:
            return at
        if first in _WHOLE and self._message is None and (second & _MASKED) == self._mark:
            self._opcode, self._final = _WHOLE[first], True
        else:
            self._check(first, second, length)
        if first & _CONTROL and size < begin + length:
            return at  # these are short, and given whole
        self._key = data[begin - _KEY_SIZE : begin] if self._masked else b""
        self.left = length
        return begin

    def _check(self, first: int, second: int, length: int) -> None:
        opcode, final = _OPCODES.get(first & 0x0F), bool(first & _FIN)
        if opcode is None or first & _RESERVED:
            raise ProtocolError(f"a WebSocket frame that begins with {first:#04x} is not known here")
        if bool(second & _MASKED) is not self._masked:
            raise ProtocolError("of a WebSocket the client masks its frames, and the server does not")
        if opcode >= _CONTROL:
            if length > _SHORT or not final:
                raise ProtocolError("a WebSocket's control frame is short and whole")
        elif (opcode is Opcode.CONTINUATION) is (self._message is None):
            raise ProtocolError("a WebSocket's fragments are out of order")
        else:
            opcode = self._message or opcode
            self._message = None if final else opcode
        self._opcode, self._final = opcode, final

    def _unmasked(self, data: bytes, begin: int, end: int) -> Bytes:
        if not self._masked:
            return part(data, begin, end)
        payload = bytearray(memoryview(data)[begin:end])
        websocket_mask(self._key, payload)
        if self.left:
            self._key = _turned(self._key, len(payload))
        return payload if len(payload) >= LARGE_BYTES else bytes(payload)


def encode(opcode: Opcode, payload: Sequence[Bytes], *, masked: bool, final: bool = True) -> Sequence[Bytes]:
    """Give a whole frame in parts, large ones without a copy; the payload may be in parts too.

    A large `bytearray` is masked where it is.
    """
    size = sum(map(len, payload))
    first, mark = _FIN | opcode if final else opcode, _MASKED if masked else 0
    if size <= _SHORT:
        header = struct.pack("!BB", first, mark | size)
    elif size <= _MOST_TWO_BYTES:
        header = struct.pack("!BBH", first, mark | _TWO_BYTES, size)
    else:
        header = struct.pack("!BBQ", first, mark | _EIGHT_BYTES, size)
    if not masked:
        return (header, *payload)
    key = os.urandom(_KEY_SIZE)
    if size < LARGE_BYTES:
        body = bytearray().join(payload)
        websocket_mask(key, body)
        return (header, key, body)
    parts: list[Bytes] = [header, key]
    for piece in payload:
        body = piece if isinstance(piece, bytearray) else bytearray(piece)
        websocket_mask(key, body)
        key = _turned(key, len(body))
        parts.append(body)
    return parts


def _turned(key: bytes, size: int) -> bytes:
    """Give the key for what follows `size` bytes."""
    turned = size % _KEY_SIZE
    return key[turned:] + key[:turned]


def new_key() -> str:
    """Make a Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


def accept_key(key: str) -> str:
    """Give the Sec-WebSocket-Accept for a Sec-WebSocket-Key."""
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()
