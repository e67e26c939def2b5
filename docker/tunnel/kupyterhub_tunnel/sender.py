"""Frames on their way out: all that are ready go in one WebSocket message, whatever streams they are of.

So a small answer (HEAD, DATA, END) costs one message, and under load so do the answers of many.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

from kupyterhub_tunnel.errors import ConnectionLost

if TYPE_CHECKING:
    from kupyterhub_tunnel.frames import Frame
    from kupyterhub_tunnel.pipe import Pipe

BATCH_BYTES = 128 * 1024
"""From so many bytes on a message is sent before others are added, and those who send bodies wait."""

FLUSH_SECONDS = 2.0
_LOST = "the connection between agent and server was lost"


class Sender:
    """The sending half of a connection."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._full: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._size = 0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._ended = False

    def put(self, frame: Frame) -> None:
        """Send a frame soon; raises ConnectionLost. Frames keep their order."""
        if self._ended:
            raise ConnectionLost(_LOST)
        self._parts += (frame.header(), frame.payload)
        self._size += len(frame.payload)
        if self._size >= BATCH_BYTES:
            self._full.append(self._rest())
            self._room.clear()
        self._filled.set()

    async def room(self) -> None:
        """Wait while the peer is slow; raises ConnectionLost."""
        while not self._room.is_set():
            await self._room.wait()
        if self._ended:
            raise ConnectionLost(_LOST)

    async def run(self) -> None:
        """Send until cancelled or the connection is lost."""
        try:
            while True:
                await self._filled.wait()
                await self._send()
        except ConnectionLost:
            return  # the receiving half learns of it too, and says so
        finally:
            self._ended = True
            self._room.set()

    async def flush(self) -> None:
        """Send what is waiting, if the peer takes it."""
        with contextlib.suppress(ConnectionLost, TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._send()

    async def _send(self) -> None:
        while message := self._full.popleft() if self._full else self._rest():
            if not self._full:
                self._room.set()
            await self._pipe.send(message)
        self._filled.clear()

    def _rest(self) -> bytes:
        message = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return message
