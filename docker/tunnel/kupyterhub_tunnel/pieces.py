"""Bytes on their way: large ones are passed on without a copy."""

from __future__ import annotations

Bytes = bytes | bytearray | memoryview
"""A `bytearray` is given to one alone, who may change it; the others nobody changes."""

LARGE_BYTES = 128 * 1024
"""A part of at least so many bytes is not copied. It keeps what it is a part of, at most four times as much."""

READ_BYTES = 512 * 1024
"""At most so many are read at a time."""

_SHARED = memoryview(bytearray(64 * 1024))  # what is read to it is copied at once


def part(data: Bytes, begin: int, end: int) -> Bytes:
    """Give a part of what was read."""
    if end - begin == len(data):
        return data
    if end - begin >= LARGE_BYTES:
        return memoryview(data)[begin:end]
    return data[begin:end] if isinstance(data, bytes) else bytes(memoryview(data)[begin:end])


def room(left: int) -> bytearray | None:
    """Give a buffer to read to for a body alone, of which `left` bytes are to come; None where that gains nothing.

    What asyncio gives to `data_received` is a copy. What is read to such a buffer is passed on from there.
    """
    return bytearray(min(left, READ_BYTES)) if left >= LARGE_BYTES else None


def reading_to(own: bytearray | None) -> memoryview:
    """Give what asyncio reads to: a buffer for a body alone, or without one what all connections share.

    A view, since asyncio's TLS reads the second record to a slice, which of a `bytearray` would be a copy.
    """
    return _SHARED if own is None else memoryview(own)


def read(size: int) -> bytes:
    """Give what was read to the shared buffer."""
    return _SHARED[:size].tobytes()


def filled(buffer: bytearray, size: int) -> Bytes:
    """Give what was read to a buffer for a body alone. While asyncio calls, it cannot be shortened."""
    if size == len(buffer):
        return buffer
    view = memoryview(buffer)[:size]
    return view if 2 * size >= len(buffer) else bytes(view)
