"""Pauses between attempts at what others are asked for."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class Pause:
    """A pause that doubles, until an attempt has lasted."""

    def __init__(self) -> None:
        self._next = SHORTEST_PAUSE_SECONDS

    @contextlib.contextmanager
    def attempt(self) -> Iterator[None]:
        """Make an attempt meanwhile. One that is longer than the longest pause was no failure."""
        began = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            if asyncio.get_running_loop().time() - began > LONGEST_PAUSE_SECONDS:
                self._next = SHORTEST_PAUSE_SECONDS

    async def wait(self) -> None:
        """Wait, with jitter, so that the agents of a server that restarts do not all come at once."""
        await asyncio.sleep(self._next * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        self._next = min(2 * self._next, LONGEST_PAUSE_SECONDS)
