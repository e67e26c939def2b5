import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import aiohttp
import pytest

from kupyterhub_local.bridge.registration import Registration


class Emulator:
    """Twin of both emulators: fails once at each request that is new to it, in the way that is next."""

    def __init__(self, address: str, failures: list[Exception]) -> None:
        self.address = address
        self.failures = failures
        self.heard: set[str] = set()

    async def register(self, trigger: str, _pattern: str) -> None:
        self._hear(f"trigger {trigger}")

    async def create_topic(self, topic: str) -> None:
        self._hear(f"topic {topic}")

    async def push_to(self, topic: str, endpoint: str) -> None:
        self._hear(f"push {topic} to {endpoint}")

    async def publish(self, topic: str, message: Mapping[str, str]) -> None:
        self._hear(f"publish {topic} {message['mode']}")

    def _hear(self, request: str) -> None:
        if request not in self.heard:
            self.heard.add(request)
            if self.failures:
                raise self.failures.pop(0)


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """Something listens there, and ends no connection before its other side does."""

    async def until_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(until_the_end, "127.0.0.1") as server:
        yield "{}:{}".format(*server.sockets[0].getsockname())


async def test_whatever_way_an_emulator_is_away_it_is_asked_until_it_answers(address: str) -> None:
    failures = [aiohttp.ClientError("away"), aiohttp.ServerTimeoutError(), TimeoutError(), ConnectionResetError()]
    emulator = Emulator(address, failures)
    changes: list[None] = []
    registration = Registration(emulator, emulator, "http://bridge", lambda: changes.append(None))
    task = asyncio.create_task(registration.run())
    await asyncio.wait_for(registration.done.wait(), 5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert failures == []
    assert {"trigger on_user_written", "push resync to http://bridge/topics/resync"} <= emulator.heard
    assert len(changes) == 1
