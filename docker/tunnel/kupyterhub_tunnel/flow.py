"""Flow control of one direction of one stream.

A sender may have so much on the way that the receiver has not consumed: its window. So a slow reader stops its own
sender, holds at most that much memory, and the connection stays free for the other streams. A window begins small and
grows while what comes is consumed, as far as the memory lasts that all of them share.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from kupyterhub_tunnel.errors import ProtocolError, TunnelError
from kupyterhub_tunnel.pieces import Pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_tunnel.pieces import Bytes

FIRST_BYTES = 32 * 1024
"""Of a new stream."""
WINDOW_BYTES = 1024 * 1024
"""The largest; of a peer that does not know smaller ones the first."""

_TOGETHER_BYTES = 48 * 1024 * 1024
_EACH_BYTES = 8 * 1024 * 1024


class Budget:
    """By how much the windows of one process may exceed their first size: those of one person, and all together."""

    def __init__(self, together: int = _TOGETHER_BYTES, each: int = _EACH_BYTES) -> None:
        self._left = together
        self._each = each
        self._taken: Counter[str] = Counter()

    def take(self, name: str, size: int) -> bool:
        """Take bytes for the person of this name, if they are there."""
        if self._left < size or self._taken[name] + size > self._each:
            return False
        self._left -= size
        self._taken[name] += size
        return True

    def give(self, name: str, size: int) -> None:
        """Give back what was taken."""
        self._left += size
        self._taken[name] -= size
        if not self._taken[name]:
            del self._taken[name]


class Windows(NamedTuple):
    """How large those of a connection are."""

    budget: Budget
    """Of all connections of this process."""
    first: int = FIRST_BYTES
    """What both ends take for the window of a new stream."""


class SendWindow:
    """How much a sender may still send. One task takes at a time. `size` is the most that it could at once."""

    def __init__(self, first: int = FIRST_BYTES) -> None:
        self._free = self.size = first
        self._changed = asyncio.Event()
        self._failure: TunnelError | None = None

    async def take(self, wanted: int) -> int:
        """Wait until something may be sent; take and return how much, at most `wanted`."""
        while self._failure is None and self._free == 0:
            self._changed.clear()
            await self._changed.wait()
        return self.take_now(wanted)

    def take_now(self, wanted: int) -> int:
        """Take what may be sent without waiting, at most `wanted`."""
        if self._failure is not None:
            raise self._failure
        taken = min(wanted, self._free)
        self._free -= taken
        return taken

    def give(self, size: int) -> None:
        """Add what the receiver has consumed, and by what it enlarges the window."""
        self._free += size
        self.size = max(self.size, self._free)
        if self._free > WINDOW_BYTES:
            raise ProtocolError("the peer gave more credit than any window has")
        self._changed.set()

    def fail(self, failure: TunnelError) -> None:
        """Make every `take` raise."""
        self._failure = self._failure or failure
        self._changed.set()


class ReceiveBuffer:
    """What has arrived and is not consumed yet. One task reads at a time."""

    def __init__(self, windows: Windows, name: str) -> None:
        """`name` is the person's whose it is."""
        self._budget, self._first = windows
        self._name = name
        self._window = self._first
        self._pieces = Pieces()
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
        if self._ended or self._pieces.size + self._ungranted + len(chunk) > self._window:
            raise ProtocolError("the peer sent data after its end or beyond its credit")
        if chunk:
            self._pieces.append(chunk)
            self._wake()

    def end(self) -> None:
        """Note that nothing follows."""
        self._ended = True
        self._wake()

    def fail(self, failure: TunnelError) -> None:
        """Make every `read` raise, and drop what was not read."""
        self._failure = self._failure or failure
        self._pieces.clear()
        self._wake()

    def release(self) -> None:
        """Give back what the window has grown by: nobody reads any more."""
        self._pieces.clear()
        if self._window > self._first:
            self._budget.give(self._name, self._window - self._first)
            self._window = self._first

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
        if self._pieces:
            data = self._pieces.take()
            self._ungranted += len(data)
            return data
        return b"" if self._ended else None

    def rest(self) -> bytes | None:
        """Return all that is left, if nothing follows; else None."""
        if self._failure is not None or not self._ended:
            return None
        return self._pieces.rest()

    def grant(self) -> int:
        """Return how much credit to give now: nothing until half of the window is consumed."""
        if self._ended or self._ungranted < self._window // 2:
            return 0
        granted, self._ungranted = self._ungranted, 0
        more = min(self._window, WINDOW_BYTES - self._window)
        if more and self._budget.take(self._name, more):
            self._window += more
            granted += more
        return granted

    def _wake(self) -> None:
        self._changed.set()
        if self.listener is not None:
            self.listener()
