"""Flow control of one direction of one stream.

A sender may have `WINDOW_BYTES` on the way that the receiver has not consumed. So a slow reader stops its
own sender, holds at most that much memory, and the connection stays free for the other streams.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from kupyterhub_tunnel.errors import ProtocolError, TunnelError
from kupyterhub_tunnel.pieces import LARGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_tunnel.pieces import Bytes

WINDOW_BYTES = 1024 * 1024
_SMALL_BYTES = 4 * 1024


class SendWindow:
    """How much a sender may still send. One task takes at a time."""

    def __init__(self) -> None:
        self._free = WINDOW_BYTES
        self._changed = asyncio.Event()
        self._failure: TunnelError | None = None

    async def take(self, wanted: int) -> int:
        """Wait until something may be sent; take and return how much, at most `wanted`."""
        while self._failure is None and self._free == 0:
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure
        taken = min(wanted, self._free)
        self._free -= taken
        return taken

    def take_now(self, wanted: int) -> int:
        """Take what may be sent without waiting, at most `wanted`."""
        if self._failure is not None:
            raise self._failure
        taken = min(wanted, self._free)
        self._free -= taken
        return taken

    def give(self, size: int) -> None:
        """Add what the receiver has consumed."""
        self._free += size
        if self._free > WINDOW_BYTES:
            raise ProtocolError("the peer gave more credit than it was sent bytes")
        self._changed.set()

    def fail(self, failure: TunnelError) -> None:
        """Make every `take` raise."""
        self._failure = self._failure or failure
        self._changed.set()


class ReceiveBuffer:
    """What has arrived and is not consumed yet. One task reads at a time."""

    def __init__(self) -> None:
        self._chunks: deque[Bytes] = deque()
        self._gathered = bytearray()
        """The last chunk, where it is made of small ones: each apart would take fifty times as much."""
        self._held = 0
        self._ungranted = 0
        self._ended = False
        self._failure: TunnelError | None = None
        self._changed = asyncio.Event()
        self.listener: Callable[[], None] | None = None
        """Is told at once of whatever changes."""

    @property
    def ended(self) -> bool:
        """Whether the peer has said END."""
        return self._ended

    def feed(self, chunk: Bytes) -> None:
        """Take in DATA; raise ProtocolError if the peer had no credit for it."""
        if self._ended or self._held + self._ungranted + len(chunk) > WINDOW_BYTES:
            raise ProtocolError("the peer sent data after its end or beyond its credit")
        if chunk:
            self._held += len(chunk)
            if not self._chunks or len(chunk) >= _SMALL_BYTES:
                self._chunks.append(chunk)
            elif self._chunks[-1] is self._gathered and len(self._gathered) < LARGE_BYTES:
                self._gathered += chunk
            else:
                self._gathered = bytearray(chunk)
                self._chunks.append(self._gathered)
            self._wake()

    def end(self) -> None:
        """Note that nothing follows."""
        self._ended = True
        self._wake()

    def fail(self, failure: TunnelError) -> None:
        """Make every `read` raise, and drop what was not read."""
        self._failure = self._failure or failure
        self._chunks.clear()
        self._wake()

    async def read(self) -> Bytes:
        """Return what has arrived, all of it or a large part, or empty bytes at the end."""
        while (data := self.take()) is None:
            self._changed.clear()
            await self._changed.wait()
        return data

    def take(self) -> Bytes | None:
        """Return what `read` would, or None where it would wait."""
        if self._failure is not None:
            raise self._failure
        if self._chunks:
            data = self._next()
            self._held -= len(data)
            self._ungranted += len(data)
            return data
        return b"" if self._ended else None

    def rest(self) -> bytes | None:
        """Return all that is left, if nothing follows; else None."""
        if self._failure is not None or not self._ended:
            return None
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._held = 0
        return data

    def _wake(self) -> None:
        self._changed.set()
        if self.listener is not None:
            self.listener()

    def _next(self) -> Bytes:
        # Few writes cost less than many, and more than copying what is small.
        first = self._chunks.popleft()
        if not self._chunks or len(first) >= LARGE_BYTES:
            return first
        parts, size = [first], len(first)
        while self._chunks and size < LARGE_BYTES:
            parts.append(self._chunks.popleft())
            size += len(parts[-1])
        return b"".join(parts)

    def grant(self) -> int:
        """Return how much credit to give now: nothing until half of the window is consumed."""
        if self._ended or self._ungranted < WINDOW_BYTES // 2:
            return 0
        granted, self._ungranted = self._ungranted, 0
        return granted
