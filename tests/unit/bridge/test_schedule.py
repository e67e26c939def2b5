import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

import aiohttp

from kupyterhub_local.bridge.schedule import run_schedule


async def test_resync_is_published_for_the_due_and_for_all_also_after_a_failure() -> None:
    published: list[tuple[str, str]] = []
    enough = asyncio.Event()

    async def publish(topic: str, message: Mapping[str, str]) -> None:
        published.append((topic, message["mode"]))
        if len(published) == 1:
            raise aiohttp.ClientError("away")
        if ("resync", "all") in published:
            enough.set()

    schedule = asyncio.create_task(
        run_schedule(publish, due=timedelta(milliseconds=5), everybody=timedelta(milliseconds=50))
    )
    await asyncio.wait_for(enough.wait(), 5)
    schedule.cancel()
    with suppress(asyncio.CancelledError):
        await schedule

    assert set(published) == {("resync", "due"), ("resync", "all")}
    assert published.count(("resync", "due")) > 1
