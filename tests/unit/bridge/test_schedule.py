import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta

import aiohttp
import pytest

from kupyterhub_local.bridge.schedule import run_schedule


@pytest.mark.parametrize(
    "failure",
    [aiohttp.ClientError("away"), aiohttp.ServerTimeoutError(), TimeoutError(), ConnectionResetError("cut off")],
    ids=lambda failure: type(failure).__name__,
)
async def test_resync_is_published_for_the_due_and_for_all_also_after_a_failure(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    published: list[tuple[str, str]] = []
    enough = asyncio.Event()

    async def publish(topic: str, message: Mapping[str, str]) -> None:
        published.append((topic, message["mode"]))
        if len(published) == 1:
            raise failure
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
    assert type(failure).__name__ in caplog.text
