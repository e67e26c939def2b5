"""Two replicas that share a key and nothing else, and agents at both: who signs out at one is out at the other."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from cluster.proxy.harness import (
    ADA,
    ADMIN,
    EVE,
    HTML,
    Browser,
    System,
    free_port,
    running_agent,
    running_proxy,
)
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp.test_utils import TestServer

REPLICAS = ("127.0.0.1", "127.0.0.2")
SIGN_OUT = "/.kupyterhub/sign-out"


class Balancer(AbstractResolver):
    """Leads every name to one replica after the other."""

    def __init__(self, replicas: tuple[str, ...]) -> None:
        self._replicas = itertools.cycle(replicas)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        host_of = next(self._replicas)
        return [ResolveResult(hostname=host, host=host_of, port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


@dataclass
class Balanced(System):
    """The system as those see it whom a load balancer leads to these replicas, one after the other."""

    replicas: tuple[str, ...] = REPLICAS

    def connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(resolver=Balancer(self.replicas), use_dns_cache=False, force_close=True)


class Cluster:
    """The replicas, each with an entry of its own to it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        (folder / "key").write_bytes(b"k" * 32)
        self._running: dict[str, AsyncExitStack] = {}
        self.systems: dict[str, System] = {}

    async def start(self, replica: str) -> None:
        environment = {"KUPYTERHUB_SESSION_KEY_FILE": str(self._folder / "key"), "KUPYTERHUB_REPLICAS": "2"}
        stack = AsyncExitStack()
        self.systems[replica] = await stack.enter_async_context(
            running_proxy(self._folder, listen=(replica, self._port), environment=environment)
        )
        self._running[replica] = stack

    async def stop(self, replica: str) -> None:
        await self._running.pop(replica).aclose()

    def system(self, *replicas: str) -> System:
        return Balanced(self._port, self._folder, "http", f"localhost:{self._port}", replicas=replicas)

    async def close(self) -> None:
        for replica in list(self._running):
            await self.stop(replica)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    made = Cluster(tmp_path)
    for replica in REPLICAS:
        await made.start(replica)
    yield made
    await made.close()


@pytest.fixture
async def eves(cluster: Cluster, backend: TestServer) -> AsyncIterator[str]:
    """Eve's name: her agent is connected to both replicas."""
    system = cluster.system(*REPLICAS)
    settings = system.agent_settings(EVE, str(backend.make_url("/")))
    async with running_agent(settings, system):
        for each in cluster.systems.values():
            await each.publisher.until("registered", settings.serves.name)
        yield settings.serves.name


@contextlib.asynccontextmanager
async def browser_at(cluster: Cluster, replica: str, like: Browser | None = None) -> AsyncIterator[Browser]:
    """A browser that is led to one replica; `like` another, it has the same cookies, taken now."""
    browser = Browser(cluster.system(replica))
    if like is not None:
        for cookie in like.session.cookie_jar:
            browser.session.cookie_jar.update_cookies([(cookie.key, cookie)], URL(f"http://{cookie['domain']}/"))
    try:
        yield browser
    finally:
        await browser.close()


async def status(browser: Browser, name: str) -> int:
    async with browser.request("GET", name, "/page") as answer:
        return answer.status


async def sign_out(browser: Browser, name: str) -> None:
    async with browser.request("POST", name, SIGN_OUT) as answer:
        assert answer.status == 303


@pytest.mark.parametrize("email", [EVE, ADMIN], ids=["owner", "administrator"])
async def test_a_sign_out_at_one_replica_ends_what_is_open_at_the_other(
    cluster: Cluster, eves: str, email: str
) -> None:
    async with browser_at(cluster, REPLICAS[0]) as here:
        await here.sign_in(email, eves)
        async with browser_at(cluster, REPLICAS[1], here) as thief, thief.websocket(eves, "/ws") as socket:
            await socket.send_str("open")
            assert await socket.receive_str() == "open"
            assert await status(thief, eves) == 200
            await sign_out(here, eves)
            ended = await socket.receive(timeout=2)
            assert ended.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
            for label in (eves, "login"):
                async with thief.request("GET", label, SIGN_OUT, headers=HTML) as answer:
                    assert EVE not in await answer.text()
            assert await status(thief, eves) == 401


async def test_somebody_else_and_another_sign_in_stay(cluster: Cluster, eves: str) -> None:
    async with (
        browser_at(cluster, REPLICAS[0]) as here,
        browser_at(cluster, REPLICAS[1]) as elsewhere,
        browser_at(cluster, REPLICAS[1]) as admin,
    ):
        for browser, email in ((here, EVE), (elsewhere, EVE), (admin, ADMIN)):
            await browser.sign_in(email, eves)
        async with elsewhere.websocket(eves, "/ws") as socket:
            await sign_out(here, eves)
            await asyncio.sleep(0.5)
            await socket.send_str("still here")
            assert await socket.receive_str() == "still here"
        assert await status(elsewhere, eves) == await status(admin, eves) == 200


async def test_a_replica_that_starts_later_hears_of_it_from_the_agents(cluster: Cluster, eves: str) -> None:
    async with browser_at(cluster, REPLICAS[0]) as here:
        await here.sign_in(EVE)
        async with browser_at(cluster, REPLICAS[1], here) as thief:
            await sign_out(here, eves)
            await cluster.stop(REPLICAS[1])
            await cluster.start(REPLICAS[1])
            await cluster.systems[REPLICAS[1]].publisher.until("registered", eves)
            assert await status(thief, eves) == 401


async def test_an_agent_that_starts_later_is_told_what_a_replica_was_asked_before(
    cluster: Cluster, backend: TestServer
) -> None:
    name = base_name(ADA)
    async with browser_at(cluster, REPLICAS[0]) as here:
        await here.sign_in(ADA)
        async with browser_at(cluster, REPLICAS[1], here) as thief:
            await sign_out(here, name)
            assert await status(thief, name) == 503, "nobody is there who could have told"
            system = cluster.system(*REPLICAS)
            async with running_agent(system.agent_settings(ADA, str(backend.make_url("/"))), system):
                for each in cluster.systems.values():
                    await each.publisher.until("registered", name)
                await asyncio.sleep(0.2)
                assert await status(thief, name) == 401
