"""Which replicas of the server are dialled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import cycle

from yarl import URL

from kupyterhub_agent import pause
from kupyterhub_agent.replicas import ByAddress, ByName
from kupyterhub_agent.visit import NoVisit, Target

HOST = URL("https://agents.example.org")


@dataclass(eq=False)
class TwinVisit:
    replica: str
    replicas: int
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False

    async def close(self) -> None:
        self.closed = True


class TwinCaller:
    """A server with replicas, each of which may be away; who answers at a name takes turns."""

    def __init__(self, *replicas: str, count: int | None = None) -> None:
        self.away: set[str] = set()
        self.count = count or len(replicas)
        self.turns = cycle(replicas)
        self.used: dict[str, TwinVisit] = {}
        self.dialled: list[Target] = []

    async def dial(self, target: Target) -> TwinVisit:
        self.dialled.append(target)
        replica = next(self.turns) if target.url == HOST else str(target.url.host)
        if replica in self.away:
            raise NoVisit(f"{replica} is away")
        return TwinVisit(replica, self.count)

    async def use(self, visit: TwinVisit) -> None:
        assert visit.replica not in self.used
        self.used[visit.replica] = visit
        try:
            await visit.ended.wait()
        finally:
            del self.used[visit.replica]


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def running(dialling: ByAddress | ByName) -> AsyncIterator[None]:
    task = asyncio.create_task(dialling.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_name_is_dialled_until_each_replica_was_met() -> None:
    caller = TwinCaller("a", "a", "b", "a", "c", count=3)
    async with running(ByName(caller, HOST)):
        await eventually(lambda: caller.used.keys() == {"a", "b", "c"})
        dialled = len(caller.dialled)
        await asyncio.sleep(0.3)
        assert len(caller.dialled) == dialled


async def test_one_replica_is_dialled_once() -> None:
    caller = TwinCaller("a")
    async with running(ByName(caller, HOST)):
        await eventually(lambda: bool(caller.used))
        await asyncio.sleep(0.3)
        assert len(caller.dialled) == 1


async def test_a_replica_that_ends_is_replaced_by_its_successor() -> None:
    caller = TwinCaller("a", "b", "c", count=2)
    async with running(ByName(caller, HOST)):
        await eventually(lambda: caller.used.keys() == {"a", "b"})
        caller.used["a"].ended.set()
        await eventually(lambda: caller.used.keys() == {"b", "c"})


async def test_each_address_is_dialled_by_the_name_of_the_host() -> None:
    caller = TwinCaller()
    there = {"10.0.0.1", "10.0.0.2"}

    async def resolve(_: URL) -> frozenset[str]:
        return frozenset(there)

    async with running(ByAddress(caller, URL("https://proxy-agents:8443"), HOST, resolve, 0.01)):
        await eventually(lambda: caller.used.keys() == there)
        assert Target(URL("https://10.0.0.1:8443"), HOST) in caller.dialled
        there.add("10.0.0.3")
        await eventually(lambda: caller.used.keys() == there)


async def test_an_address_that_has_left_dns_is_dialled_no_more_but_ends_what_it_carries() -> None:
    caller = TwinCaller()
    there = {"10.0.0.1"}

    async def resolve(_: URL) -> frozenset[str]:
        return frozenset(there)

    async with running(ByAddress(caller, URL("https://proxy-agents:8443"), HOST, resolve, 0.01)):
        await eventually(lambda: caller.used.keys() == {"10.0.0.1"})
        there.clear()
        there.add("10.0.0.2")
        await eventually(lambda: caller.used.keys() == {"10.0.0.1", "10.0.0.2"})
        caller.used["10.0.0.1"].ended.set()
        await eventually(lambda: caller.used.keys() == {"10.0.0.2"})
        await asyncio.sleep(0.3)
        assert len(caller.dialled) == 2


async def test_a_name_that_does_not_resolve_loses_no_connection() -> None:
    caller = TwinCaller()
    answers = iter([frozenset({"10.0.0.1"})])

    async def resolve(_: URL) -> frozenset[str]:
        for answer in answers:
            return answer
        raise OSError("DNS is away")

    async with running(ByAddress(caller, URL("https://proxy-agents:8443"), HOST, resolve, 0.01)):
        await asyncio.sleep(0.1)
        assert caller.used.keys() == {"10.0.0.1"}


async def test_pauses_double_until_an_attempt_has_lasted() -> None:
    waits = pause.Pause()
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(3):
        with waits.attempt():
            pass
        await waits.wait()
    assert 0.35 <= loop.time() - began <= 1.2
