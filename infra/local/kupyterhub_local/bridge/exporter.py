"""Keeps the snapshot of Firestore fresh: a change is exported at once, a stream of them twice a second."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

from kupyterhub_local.bridge.emulators import AWAY, why_away
from kupyterhub_local.bridge.snapshot_folder import SnapshotFolder

# Writes everything to the new folder `<first>/<second>`.
Export = Callable[[Path, str], Awaitable[None]]

# A kill loses what was written since the last complete export began: this interval and one export, or less. With
# a few users an export takes 0.02 s, with a thousand 0.2 s.
_INTERVAL_SECONDS = 0.5
# The emulator has other work to do. With more than a thousand users this costs more than the last second.
_SHARE_OF_TIME = 0.25
_AT_THE_END_SECONDS = 10.0

log = logging.getLogger(__name__)


class Exporter:
    """Exports after changes, one export at a time."""

    def __init__(self, folder: SnapshotFolder, export: Export) -> None:
        """Keep snapshots in `folder`, made by `export`."""
        self._folder = folder
        self._export = export
        self._changed = asyncio.Event()
        self._failing = False
        # One slow export among quick ones says that the machine is busy, not that there are many documents.
        self._took: deque[float] = deque(maxlen=3)

    def changed(self) -> None:
        """Say that documents were written."""
        self._changed.set()

    async def run(self) -> None:
        """Export after each change until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._took.append(await self._take())
            await asyncio.sleep(pause(min(self._took)))

    async def finish(self) -> None:
        """Take the last snapshot, also of what no event told of."""
        try:
            async with asyncio.timeout(_AT_THE_END_SECONDS):
                await self._take()
        except TimeoutError:
            log.warning("no last snapshot: the Firestore emulator took longer than %d s", _AT_THE_END_SECONDS)

    async def _take(self) -> float:
        """Take a snapshot; give the seconds that it took. After a failure the change still counts as one."""
        started = time.monotonic()
        name = self._folder.new_name()
        complete = False
        try:
            await self._export(self._folder.path, name)
            self._folder.publish(name)
            complete = True
            self._failing = False
        except AWAY as e:  # The disk's OSError too.
            self._changed.set()
            if not self._failing:  # Once, not each second until the emulator is back.
                log.warning("no snapshot of Firestore: %s", why_away(e))
            self._failing = True
        finally:
            if not complete:
                self._folder.discard(name)
        return time.monotonic() - started


def pause(took_seconds: float) -> float:
    """Give the seconds to rest after an export: two a second, at most a quarter of the time spent on them."""
    return max(_INTERVAL_SECONDS - took_seconds, took_seconds * (1 / _SHARE_OF_TIME - 1))
