"""Agents: who is let in, what is announced, and what happens when one goes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cluster.proxy.backend import backend_app
from cluster.proxy.harness import (
    ADA,
    ADMIN,
    EVE,
    HTML,
    QUICK,
    Browser,
    Cluster,
    System,
    altered,
    eventually,
    free_port,
    running_agent,
    running_proxy,
)
from kupyterhub_agent import notebook
from kupyterhub_rules.names import base_name

NAME = base_name(ADA)


async def dial(system: System, token: str) -> int:
    """Give the status that an agent with this token gets; 101 if it is let in."""
    async with aiohttp.ClientSession(connector=system.connector()) as session:
        try:
            async with session.ws_connect(
                system.url("agents", "/agent/connect"), headers={"Authorization": f"Bearer {token}"}
            ):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


async def test_a_token_of_the_cluster_lets_an_agent_in(system: System) -> None:
    assert await dial(system, system.cluster.token(NAME, "uid")) == 101


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"exp": datetime.now(UTC) - timedelta(minutes=1)}, id="expired"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"aud": ["https://kubernetes.default"]}, id="for somebody else"),
        pytest.param({"aud": None}, id="for nobody"),
        pytest.param({"iss": "https://evil.example"}, id="of an unknown cluster"),
        pytest.param({"sub": f"system:serviceaccount:kupyterhub:notebook-{NAME}"}, id="of a notebook"),
        pytest.param({"sub": f"system:serviceaccount:other:agent-{NAME}"}, id="of another namespace"),
        pytest.param({"kubernetes.io": {"namespace": "kupyterhub"}}, id="of no pod"),
    ],
)
async def test_another_token_is_refused(system: System, changed: dict[str, Any]) -> None:
    assert await dial(system, system.cluster.token(NAME, "uid", **changed)) == 401


async def test_a_token_that_is_forged_is_refused(system: System) -> None:
    assert await dial(system, Cluster().token(NAME, "uid")) == 401
    assert await dial(system, "") == 401
    assert await dial(system, "not.a.token") == 401


async def test_an_agent_serves_its_own_user_only(system: System, backend: TestServer, browser: Browser) -> None:
    evil = system.agent_settings(EVE, str(backend.make_url("/")))
    for changed in ({"name": NAME, "email": ADA}, {"email": ADA}):
        async with running_agent(altered(evil, **changed), system) as agent:
            await eventually(lambda: bool(agent.answering))
            await asyncio.sleep(0.3)
            assert system.publisher.events == []


async def test_the_shared_agent_serves_whoever_the_email_says_and_a_wrong_one_costs_nobody_else(
    system: System, backend: TestServer
) -> None:
    shared = system.cluster.token("", "uid", sub="system:serviceaccount:kupyterhub:agent")
    ada = system.agent_settings(ADA, str(backend.make_url("/")), token=shared)
    people = {
        person.name: person
        for person in (
            ada.serves,
            altered(ada, name=base_name(EVE), email=EVE).serves,
            altered(ada, name=base_name(ADMIN), email=EVE).serves,
        )
    }
    async with running_agent(ada, system) as agent:
        await agent.become(people)
        await system.publisher.until("registered", NAME)
        await system.publisher.until("registered", base_name(EVE))
        await eventually(lambda: agent.answering == len(people))
        await asyncio.sleep(0.3)
        assert {event["name"] for event in system.publisher.events} == {NAME, base_name(EVE)}
        assert {event["instance"] for event in system.publisher.events} == {"uid"}


async def test_the_shared_agent_of_another_namespace_is_refused(system: System) -> None:
    token = system.cluster.token("", "uid", sub="system:serviceaccount:other:agent")
    assert await dial(system, token) == 401


async def test_an_agent_is_told_which_replica_has_let_it_in_and_of_how_many(system: System) -> None:
    told = set()
    for _ in range(2):
        async with aiohttp.ClientSession(connector=system.connector()) as session:
            token = system.cluster.token(NAME, "uid")
            async with session.ws_connect(
                system.url("agents", "/agent/connect"), headers={"Authorization": f"Bearer {token}"}
            ) as socket:
                headers = socket._response.headers
                told.add((headers["X-Kupyterhub-Replica"], headers["X-Kupyterhub-Replicas"]))
    [(replica, count)] = told
    assert len(replica) == 16
    assert count == "1"


async def test_a_registration_says_who_and_where(system: System, backend: TestServer) -> None:
    settings = system.agent_settings(ADA, str(backend.make_url("/")))
    async with running_agent(settings, system) as agent:
        event = await system.publisher.until("registered", NAME)
        assert agent.link.ready
    assert event["user"] == settings.serves.user
    assert event["instance"] == settings.pod_uid
    assert event["proxyUrl"] == f"{system.origin(NAME)}/"


async def test_nothing_is_registered_before_jupyterlab_answers_and_each_start_is_a_new_one(
    system: System, browser: Browser
) -> None:
    port = free_port()
    settings = system.agent_settings(ADA, f"http://127.0.0.1:{port}")
    async with running_agent(settings, system) as agent:
        await browser.sign_in(ADA)
        await asyncio.sleep(0.3)
        assert system.publisher.events == []
        assert not agent.answering
        async with starting_late(port):
            first = await system.publisher.until("registered", NAME)
            async with browser.request("GET", NAME, "/page") as answer:
                assert answer.status == 200
        lost = await system.publisher.until("lost", NAME)
        assert lost["registeredAt"] == first["registeredAt"]
        async with browser.request("GET", NAME, "/page") as answer:
            assert answer.status == 503
        system.publisher.events.clear()
        async with starting_late(port):
            second = await system.publisher.until("registered", NAME)
            assert second["registeredAt"] > first["registeredAt"]


@contextlib.asynccontextmanager
async def starting_late(port: int) -> AsyncIterator[None]:
    server = TestServer(backend_app(), host="127.0.0.1", port=port)
    await server.start_server(access_log=None)
    try:
        yield
    finally:
        await server.close()


@pytest.mark.parametrize("after", ["a while", "a request that failed"])
async def test_a_notebook_that_only_kept_connections_reach_is_lost(
    system: System, browser: Browser, monkeypatch: pytest.MonkeyPatch, after: str
) -> None:
    """So it is when its Service is deleted."""
    if after == "a while":
        monkeypatch.setattr(notebook, "FRESH_SECONDS", 0.5)
    runner = web.AppRunner(backend_app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", free_port())
    await site.start()
    try:
        async with running_agent(system.agent_settings(ADA, site.name), system):
            await system.publisher.until("registered", NAME)
            await browser.sign_in(ADA)
            await asyncio.sleep(0.5)  # a second look keeps its connection
            await site.stop()
            if after == "a request that failed":
                async with browser.request("GET", NAME, "/page") as answer:
                    assert answer.status == 503
            await system.publisher.until("lost", NAME)
    finally:
        await runner.cleanup()


async def test_an_agent_that_goes_is_lost_and_its_user_sees_the_page(
    system: System, backend: TestServer, browser: Browser
) -> None:
    await browser.sign_in(ADA)
    async with running_agent(system.agent_settings(ADA, str(backend.make_url("/"))), system):
        await system.publisher.until("registered", NAME)
        socket = await browser.websocket(NAME, "/ws")
        endless = await browser.request("GET", NAME, "/forever")
    await system.publisher.until("lost", NAME)
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
    with pytest.raises(aiohttp.ClientPayloadError):
        await endless.read()
    async with browser.request("GET", NAME, headers=HTML) as answer:
        assert answer.status == 503


@pytest.mark.parametrize("said", ["registered", "idle"])
async def test_a_proxy_that_is_started_anew_reaches_everybody_whatever_was_said_last(
    tmp_path: Path, backend: TestServer, said: str
) -> None:
    listen = ("127.0.0.1", free_port())
    async with contextlib.AsyncExitStack() as first:
        system = await first.enter_async_context(running_proxy(tmp_path, listen=listen))
        settings = system.agent_settings(ADA, str(backend.make_url("/")))
        async with running_agent(settings, system, replace(QUICK, idle=0.2 if said == "idle" else 300)):
            before = await system.publisher.until(said, NAME)
            await first.aclose()
            async with running_proxy(tmp_path, listen=listen) as again:
                after = await again.publisher.until("registered", NAME)
                assert after["registeredAt"] == before["registeredAt"]
                browser = Browser(again)
                await browser.sign_in(ADA)
                async with browser.request("GET", NAME, "/page") as answer:
                    assert answer.status == 200
                await browser.close()


async def test_a_newer_agent_serves_and_the_older_ones_end_loses_nothing(
    system: System, backend: TestServer, browser: Browser
) -> None:
    await browser.sign_in(ADA)
    settings = system.agent_settings(ADA, str(backend.make_url("/")))
    async with running_agent(settings, system):
        await system.publisher.until("registered", NAME)
        async with running_agent(settings, system):
            await eventually(lambda: len(system.publisher.events) == 2)
        await asyncio.sleep(0.1)
        async with browser.request("GET", NAME, "/page") as answer:
            assert answer.status == 200
    await system.publisher.until("lost", NAME)
    assert [event["type"] for event in system.publisher.events] == ["registered", "registered", "lost"]


async def test_a_server_that_shuts_down_says_nothing_and_agents_come_back(
    tmp_path: Path, backend: TestServer
) -> None:
    async with running_proxy(tmp_path) as system:
        settings = system.agent_settings(ADA, str(backend.make_url("/")))
        running = running_agent(settings, system)
        agent = await running.__aenter__()
        await system.publisher.until("registered", NAME)
    await asyncio.sleep(0.1)
    assert [event["type"] for event in system.publisher.events] == ["registered"]
    assert not agent.link.ready
    await running.__aexit__(None, None, None)


async def test_a_connection_ends_with_its_token(system: System, backend: TestServer) -> None:
    token = system.cluster.token(NAME, f"uid-{NAME}", exp=datetime.now(UTC) + timedelta(seconds=1.5))
    async with running_agent(system.agent_settings(ADA, str(backend.make_url("/")), token=token), system):
        await system.publisher.until("registered", NAME)
        await system.publisher.until("lost", NAME)


async def test_a_renewed_token_keeps_the_connection_and_what_it_carries(
    system: System, backend: TestServer, browser: Browser
) -> None:
    await browser.sign_in(ADA)
    token = system.cluster.token(NAME, f"uid-{NAME}", exp=datetime.now(UTC) + timedelta(seconds=2))
    settings = system.agent_settings(ADA, str(backend.make_url("/")), token=token)
    async with running_agent(settings, system):
        await system.publisher.until("registered", NAME)
        async with browser.websocket(NAME, "/ws") as socket:
            settings.proxy.token_file.write_text(system.cluster.token(NAME, f"uid-{NAME}"))
            await asyncio.sleep(2.5)
            await socket.send_str("still here")
            assert await socket.receive_str() == "still here"
    assert "lost" not in [event["type"] for event in system.publisher.events[:-1]]
