"""Bytes on their way from one task to another, with bounded memory."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_tunnel.errors import TunnelError

HELD_BYTES = 256 * 1024
"""A writer waits while this much or more is unread."""


class Handoff:
    """One task writes, another reads."""

    def __init__(self) -> None:
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._ended = False
        self._failure: TunnelError | None = None
        # One is enough: who writes waits while it is full, who reads while it is empty.
        self._changed = asyncio.Event()

    async def write(self, data: bytes) -> None:
        """Hand over bytes; waits for room; raises what it was failed with."""
        while self._failure is None and self._held >= HELD_BYTES:
            await self._change()
        if self._failure is not None:
            raise self._failure
        if data:
            self._chunks.append(data)
            self._held += len(data)
            self._changed.set()

    def end(self) -> None:
        """Say that nothing follows."""
        self._ended = True
        self._changed.set()

    def fail(self, failure: TunnelError) -> None:
        """Make writing and reading raise from now on; what was not read is dropped."""
        self._failure = self._failure or failure
        self._chunks.clear()
        self._changed.set()

    async def read(self) -> bytes:
        """Give the next bytes, or none at the end; raises what it was failed with."""
        while self._failure is None and not self._chunks and not self._ended:
            await self._change()
        if self._failure is not None:
            raise self._failure
        if not self._chunks:
            return b""
        chunk = self._chunks.popleft()
        self._held -= len(chunk)
        self._changed.set()
        return chunk

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give all bytes to the end."""
        while chunk := await self.read():
            yield chunk

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
