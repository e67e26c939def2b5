"""Frames on their way out: all that are ready in one turn of the event loop go together, of whatever streams.

So a small answer (HEAD, DATA, END) costs one message, and under load so do the answers of many.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from kupyterhub_tunnel.errors import ConnectionLost

if TYPE_CHECKING:
    from kupyterhub_tunnel.frames import Frame
    from kupyterhub_tunnel.pieces import Bytes
    from kupyterhub_tunnel.pipe import Pipe

BATCH_BYTES = 64 * 1024
"""So many bytes are sent without waiting for others."""


class Sender:
    """The sending half of a connection."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._loop = asyncio.get_running_loop()
        self._parts: list[Bytes] = []
        self._size = 0
        self._ended = False

    def put(self, frame: Frame, *, at_once: bool = False) -> None:
        """Send a frame soon, or at once with those that are ready; raises ConnectionLost. Frames keep their order."""
        if self._ended:
            raise ConnectionLost("the connection between agent and server was lost")
        was_empty = not self._parts
        self._parts += (frame.header(), frame.payload)
        self._size += len(frame.payload)
        if at_once or self._size >= BATCH_BYTES:
            self.flush()
        elif was_empty:
            self._loop.call_soon(self.flush)

    @property
    def full(self) -> bool:
        """Whether the peer is slow."""
        return self._pipe.full

    async def room(self) -> None:
        """Wait while the peer is slow."""
        await self._pipe.room()

    def flush(self) -> None:
        """Send what is ready."""
        if self._parts:
            parts, self._parts, self._size = self._parts, [], 0
            with contextlib.suppress(ConnectionLost):  # the receiving half learns of it too, and says so
                self._pipe.send(parts)

    def end(self) -> None:
        """Send what is ready, and nothing more."""
        self._ended = True
        self.flush()
