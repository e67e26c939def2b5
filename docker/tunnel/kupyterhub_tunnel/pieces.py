"""Bytes on their way: large ones are passed on without a copy."""

from __future__ import annotations

Bytes = bytes | bytearray | memoryview
"""Of those that are given away nobody changes anything."""

LARGE_BYTES = 128 * 1024
"""A part of at least so many bytes is not copied. It keeps all that was read with it, at most twice as much: uvloop
and asyncio read 256 KiB at a time."""


def part(data: Bytes, begin: int, end: int) -> Bytes:
    """Give a part of what was read."""
    if end - begin < LARGE_BYTES:
        return data[begin:end] if isinstance(data, bytes) else bytes(memoryview(data)[begin:end])
    return memoryview(data)[begin:end]
