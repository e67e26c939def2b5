"""Whether an agent that polls is there: it has no connection whose end would tell."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE_SECONDS = 30.0
"""Without a poll for so long it is gone."""


class Presence:
    """Calls `come` when the first poll begins, and `go` when none has been under way for GRACE_SECONDS."""

    def __init__(self, come: Callable[[], None], go: Callable[[], None]) -> None:
        self._come = come
        self._go = go
        self._here = False
        self._polls = 0
        self._going: asyncio.TimerHandle | None = None

    @contextmanager
    def polling(self) -> Iterator[None]:
        """A poll is under way meanwhile."""
        self.stop()
        if not self._here:
            self._here = True
            self._come()
        self._polls += 1
        try:
            yield
        finally:
            self._polls -= 1
            if not self._polls:
                self._going = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._gone)

    def stop(self) -> None:
        """Wait for the end of the grace no longer."""
        if self._going is not None:
            self._going.cancel()
            self._going = None

    def _gone(self) -> None:
        self._here = False
        self._go()
