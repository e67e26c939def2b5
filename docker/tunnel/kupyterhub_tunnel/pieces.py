"""Bytes on their way: large ones are passed on without a copy, small ones are gathered."""

from __future__ import annotations

from collections import deque

Bytes = bytes | bytearray | memoryview
"""A `bytearray` is given to one alone, who may change it; the others nobody changes."""

LARGE_BYTES = 128 * 1024
"""A part of at least so many bytes is not copied. It keeps what it is a part of, at most four times as much."""

READ_BYTES = 512 * 1024
"""At most so many are read at a time."""

_SMALL_BYTES = 4 * 1024
_LEAST_BYTES = 16 * 1024
_SHARED = memoryview(bytearray(64 * 1024))  # what is read to it is copied at once


class Pieces:
    """A queue of bytes, of which little more is held than they are."""

    def __init__(self) -> None:
        self._pieces: deque[Bytes] = deque()
        self._gathered = bytearray()
        """The last one, where it is made of small ones: each apart would take fifty times as much."""
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def append(self, piece: Bytes) -> None:
        """Add bytes, of which there are some."""
        self.size += len(piece)
        if not self._pieces or len(piece) >= _SMALL_BYTES:
            self._pieces.append(piece)
        elif self._pieces[-1] is self._gathered and len(self._gathered) < LARGE_BYTES:
            self._gathered += piece
        else:
            self._gathered = bytearray(piece)
            self._pieces.append(self._gathered)

    def take(self) -> Bytes:
        """Take all of it or a large part: few writes cost less than many, and more than copying what is small."""
        first = self._pieces.popleft()
        if self._pieces and len(first) < LARGE_BYTES:
            parts, size = [first], len(first)
            while self._pieces and size < LARGE_BYTES:
                parts.append(self._pieces.popleft())
                size += len(parts[-1])
            first = b"".join(parts)
        self.size -= len(first)
        return first

    def rest(self) -> bytes:
        """Take all of it."""
        data = b"".join(self._pieces)
        self.clear()
        return data

    def clear(self) -> None:
        """Drop all of it."""
        self._pieces.clear()
        self.size = 0


def part(data: Bytes, begin: int, end: int) -> Bytes:
    """Give a part of what was read."""
    if end - begin == len(data):
        return data
    if end - begin >= LARGE_BYTES:
        return memoryview(data)[begin:end]
    return data[begin:end] if isinstance(data, bytes) else bytes(memoryview(data)[begin:end])


def room(left: int, wanted: int = READ_BYTES) -> bytearray | None:
    """Give a buffer to read to for a body alone, of which `left` bytes are to come; None where that gains nothing.

    `wanted` is how many can be passed on at once. What asyncio gives to `data_received` is a copy; what is read to
    such a buffer is passed on from there.
    """
    size = min(left, wanted, READ_BYTES)
    return bytearray(size) if size >= LARGE_BYTES else None


def reading_to(own: bytearray | None, wanted: int = READ_BYTES) -> memoryview:
    """Give what asyncio reads to: a buffer for a body alone, or without one what all connections share.

    Where no more than `wanted` can be passed on, little more is read. A view, since asyncio's TLS reads the second
    record to a slice, which of a `bytearray` would be a copy.
    """
    return _SHARED[: max(wanted, _LEAST_BYTES)] if own is None else memoryview(own)


def read(size: int) -> bytes:
    """Give what was read to the shared buffer."""
    return _SHARED[:size].tobytes()


def filled(buffer: bytearray, size: int) -> Bytes:
    """Give what was read to a buffer for a body alone. While asyncio calls, it cannot be shortened."""
    if size == len(buffer):
        return buffer
    view = memoryview(buffer)[:size]
    return view if 2 * size >= len(buffer) else bytes(view)
