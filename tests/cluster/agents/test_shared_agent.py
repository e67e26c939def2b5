"""One agent for many people, in two replicas, at two replicas of the server: any of them may go."""

from __future__ import annotations

import asyncio
import signal

import aiohttp

import shared_agent
from cluster.agents.rig import AGENTS, SERVERS, Events, Rig
from cluster.proxy.harness import Browser


class Clicking:
    """People who ask one thing after another, at both servers, and count what went wrong."""

    def __init__(self, rig: Rig, names: list[str]) -> None:
        self.failures: dict[tuple[str, str], int] = {}
        self.answers = 0
        self._tasks = [
            asyncio.create_task(self._click(browser, address, name))
            for address, browser in rig.browsers.items()
            for name in names
        ]

    async def _click(self, browser: Browser, address: str, name: str) -> None:
        while True:
            try:
                status = await Rig.status(browser, name)
            except aiohttp.ClientError:
                status = 0
            self.answers += 1
            if status != 200:
                key = (address, name)
                self.failures[key] = self.failures.get(key, 0) + 1
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)


async def ready(rig: Rig, people: int) -> list[str]:
    """Run two agents and enrol people; give their names once all are served everywhere by both."""
    names = [await rig.enrol(number) for number in range(people)]
    for address in AGENTS:
        rig.start_agent(address)
    await rig.is_ready(*AGENTS)
    for name in names:
        await rig.served(name)
    await asyncio.sleep(0.5)  # the second agent has told everybody too
    return names


async def test_killing_one_agent_costs_its_requests_in_flight_alone(rig: Rig) -> None:
    names = await ready(rig, 6)
    clicking = Clicking(rig, names)
    await asyncio.sleep(0.5)
    assert clicking.failures == {}
    await rig.end(AGENTS[0], signal.SIGKILL)
    await asyncio.sleep(1)
    assert all(count == 1 for count in clicking.failures.values()), clicking.failures
    clicking.failures.clear()
    rig.start_agent(AGENTS[0])
    await rig.is_ready(AGENTS[0])
    await asyncio.sleep(0.5)
    await rig.end(AGENTS[1], signal.SIGKILL)
    await asyncio.sleep(1)
    await clicking.stop()
    assert all(count == 1 for count in clicking.failures.values()), clicking.failures
    assert clicking.answers > 200


async def test_an_agent_that_is_told_to_end_loses_nothing(rig: Rig) -> None:
    names = await ready(rig, 6)
    clicking = Clicking(rig, names)
    slow = [
        asyncio.create_task(Rig.status(browser, name, "/slow")) for browser in rig.browsers.values() for name in names
    ]
    await asyncio.sleep(0.3)
    await rig.end(AGENTS[0], signal.SIGTERM)
    assert await asyncio.gather(*slow) == [200] * len(slow)
    await asyncio.sleep(0.5)
    await clicking.stop()
    assert clicking.failures == {}


async def test_any_server_serves_anybody_and_one_that_ends_answers_what_it_has_begun(rig: Rig) -> None:
    names = await ready(rig, 3)
    first, second = SERVERS
    slow = asyncio.create_task(Rig.status(rig.browsers[first], names[0], "/slow"))
    await asyncio.sleep(0.3)
    await rig.end(first, signal.SIGTERM)
    assert await slow == 200
    for name in names:
        assert await Rig.status(rig.browsers[second], name) == 200
    rig.start_server(first)
    await rig.is_ready(first)
    for name in names:
        await rig.served(name)
    await rig.end(second, signal.SIGKILL)
    for name in names:
        assert await Rig.status(rig.browsers[first], name) == 200


async def test_each_server_publishes_the_same_and_who_is_taken_out_is_out_at_once(rig: Rig, events: Events) -> None:
    gone, stays = await ready(rig, 2)
    await rig.end(AGENTS[0], signal.SIGKILL)
    rig.start_agent(AGENTS[0])
    await rig.is_ready(AGENTS[0])
    await asyncio.sleep(0.5)  # it has told everybody too
    registered = events.pull("registered", stays)
    newest = max(event["registeredAt"] for event in registered)
    last = [event for event in registered if event["registeredAt"] == newest]
    assert len({(event["instance"], event["proxyUrl"]) for event in last}) == 1
    assert events.pull("lost", stays) == []
    browser = rig.browsers[SERVERS[0]]
    async with browser.websocket(gone, "/ws") as socket, browser.websocket(stays, "/ws") as other:
        await socket.send_str("here")
        assert await socket.receive_str() == "here"
        await shared_agent.dismiss(rig.cluster, gone)
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        for each in rig.browsers.values():
            assert await Rig.status(each, gone) == 503
            assert await Rig.status(each, stays) == 200
        await other.send_str("still here")
        assert await other.receive_str() == "still here"
    async with asyncio.timeout(10):
        while not events.pull("lost", gone):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)
