"""Cloud Scheduler's part: publishes `resync` each minute for those who are due and each hour for all."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from kupyterhub_local.bridge.emulators import AWAY, why_away

RESYNC_DUE: Final = {"mode": "due"}
RESYNC_ALL: Final = {"mode": "all"}

Publish = Callable[[str, Mapping[str, str]], Awaitable[None]]

log = logging.getLogger(__name__)


async def run_schedule(
    publish: Publish, due: timedelta = timedelta(minutes=1), everybody: timedelta = timedelta(hours=1)
) -> None:
    """Publish until cancelled, first after one interval: at a start everybody is looked at anyway."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_every(due, publish, RESYNC_DUE))
        tasks.create_task(_every(everybody, publish, RESYNC_ALL))


async def _every(interval: timedelta, publish: Publish, message: Mapping[str, str]) -> None:
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            await publish("resync", message)
        except AWAY as e:
            log.warning("resync %s was not published: %s", message["mode"], why_away(e))
