"""What our server lets an agent do that polls: each of its three paths, and nothing of another user's."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from cluster.interop.conftest import ADA, EVE, EVES_ACCOUNT, OurServer
from cluster.proxy.harness import eventually
from kupyterhub_proxy.polling import presence
from kupyterhub_proxy.registry import ConnectedAgent
from twins.google_vm import google_keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATHS = [("GET", "/agent/pending"), ("GET", "/agent/request"), ("POST", "/agent/response")]
HELLO = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


class Poller:
    """Speaks for one backend, one request at a time."""

    def __init__(self, server: OurServer, session: aiohttp.ClientSession, name: str, **claims: Any) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.hosts.domain.rpartition(':')[2]}"
        self._session = session
        token = google_keys().token(f"{self.url}/", **claims)
        self.headers = {"X-Inverting-Proxy-Backend-ID": name, "X-Inverting-Proxy-VM-ID": token}

    def ask(self, method: str, path: str, request_id: str = "", **more: Any) -> Any:
        headers = {**self.headers, **({"X-Inverting-Proxy-Request-ID": request_id} if request_id else {})}
        return self._session.request(method, f"{self.url}{path}", headers=headers, **more)

    async def pending(self) -> list[str]:
        async with self.ask("GET", "/agent/pending") as answer:
            assert answer.status == 200
            return await answer.json()

    async def status(self, method: str, path: str, request_id: str, **more: Any) -> int:
        async with self.ask(method, path, request_id, **more) as answer:
            return answer.status

    def pending_request(self, request_id: str) -> Any:
        return self.server.polling._agents[ADA].backend.find(request_id)

    async def browse(self, **more: Any) -> tuple[int, str]:
        """What a browser is answered."""
        async with self._session.get(f"{self.url}/lab", **more) as answer:
            return answer.status, await answer.text()


@pytest.fixture
def agent(our_server: OurServer, session: aiohttp.ClientSession) -> Poller:
    return Poller(our_server, session, ADA)


@pytest.fixture
def eve(our_server: OurServer, session: aiohttp.ClientSession) -> Poller:
    return Poller(our_server, session, EVE, email=EVES_ACCOUNT)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "GRACE_SECONDS", 0.1)


@contextlib.asynccontextmanager
async def asked(agent: Poller) -> AsyncIterator[tuple[asyncio.Task[tuple[int, str]], str]]:
    """A browser's request that waits for its answer, and its id."""
    first = asyncio.create_task(agent.pending())
    await eventually(lambda: agent.server.registry.serving(ADA) is not None)
    browser = asyncio.create_task(agent.browse())
    try:
        (request_id,) = await first
        yield browser, request_id
    finally:
        browser.cancel()
        await asyncio.gather(browser, return_exceptions=True)


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_without_a_vms_token_nobody_is_let_in(agent: Poller, method: str, path: str) -> None:
    del agent.headers["X-Inverting-Proxy-VM-ID"]
    assert await agent.status(method, path, "x") == 401


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_a_token_for_another_server_lets_nobody_in(agent: Poller, method: str, path: str) -> None:
    agent.headers["X-Inverting-Proxy-VM-ID"] = google_keys().token("https://agents.other.example/")
    assert await agent.status(method, path, "x") == 401


@pytest.mark.parametrize("name", [EVE, "", "Not A Name", "*"])
@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_an_account_is_no_backend_but_those_that_it_was_given(
    agent: Poller, method: str, path: str, name: str
) -> None:
    agent.headers["X-Inverting-Proxy-Backend-ID"] = name
    assert await agent.status(method, path, "x") == 403


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_other_methods_are_refused(agent: Poller, method: str, path: str) -> None:
    assert await agent.status("PUT", path, "x") == 405


async def test_a_request_is_fetched_and_answered(agent: Poller) -> None:
    async with asked(agent) as (browser, request_id):
        async with agent.ask("GET", "/agent/request", request_id) as carried:
            assert (await carried.read()).startswith(b"GET /lab HTTP/1.1\r\nHost: ")
        assert await agent.status("POST", "/agent/response", request_id, data=HELLO) == 200
        assert await browser == (200, "hello")
        assert await agent.status("POST", "/agent/response", request_id, data=HELLO) == 404


@pytest.mark.parametrize(("method", "path"), PATHS[1:])
async def test_an_agent_gets_at_no_request_of_another_user(
    agent: Poller, eve: Poller, method: str, path: str
) -> None:
    polling = asyncio.create_task(eve.pending())
    async with asked(agent) as (browser, request_id):
        assert await eve.status(method, path, request_id) == 404
        assert not polling.done()
        assert not browser.done()
    polling.cancel()
    await asyncio.gather(polling, return_exceptions=True)


async def test_a_request_is_answered_once(agent: Poller) -> None:
    other_refused = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield HELLO[:-5]
        await other_refused.wait()
        yield HELLO[-5:]

    async with asked(agent) as (browser, request_id):
        first = asyncio.create_task(agent.status("POST", "/agent/response", request_id, data=slowly()))
        await eventually(lambda: agent.pending_request(request_id).answered)
        other = HELLO.replace(b"hello", b"HELLO")
        assert await agent.status("POST", "/agent/response", request_id, data=other) == 409
        other_refused.set()
        assert await first == 200
        assert await browser == (200, "hello")


async def test_what_is_no_answer_is_none(agent: Poller) -> None:
    async with asked(agent) as (browser, request_id):
        assert await agent.status("POST", "/agent/response", request_id, data=b"hello\r\n\r\n") == 400
        assert (await browser)[0] == 503


async def test_an_answer_that_stops_in_the_middle_is_not_whole(agent: Poller) -> None:
    async with asked(agent) as (browser, request_id):
        assert await agent.status("POST", "/agent/response", request_id, data=HELLO[:-8]) == 400
        with pytest.raises(aiohttp.ClientPayloadError):
            await browser


async def test_a_request_that_a_browser_gave_up_is_dropped(agent: Poller) -> None:
    async with asked(agent) as (browser, request_id):
        browser.cancel()
        await asyncio.gather(browser, return_exceptions=True)
        await eventually(lambda: agent.pending_request(request_id) is None)
        assert await agent.status("GET", "/agent/request", request_id) == 404
        assert await agent.status("POST", "/agent/response", request_id, data=HELLO) == 404


async def test_an_agent_is_a_users_while_it_polls(quick: None, our_server: OurServer, agent: Poller) -> None:
    assert (await agent.browse())[0] == 503
    async with asked(agent):
        assert our_server.registry.serving(ADA) is not None
        assert our_server.registry.emails() == frozenset()
    await eventually(lambda: our_server.registry.serving(ADA) is None)
    assert (await agent.browse())[0] == 503


async def test_an_agent_of_ours_goes_before_one_that_polls(our_server: OurServer, agent: Poller) -> None:
    async with asked(agent):
        polled = our_server.registry.serving(ADA)
        assert polled is not None
        ours = ConnectedAgent(ADA, "u-ada", "ada@example.org", "uid", polled.carrier)
        our_server.registry.add(ours)
        assert our_server.registry.serving(ADA) is polled
        moment = datetime.now(UTC)
        our_server.registry.register(ours, moment)
        assert our_server.registry.serving(ADA) is ours
        assert ours.registered_at == moment


async def test_who_waits_is_told_when_the_agent_has_gone(quick: None, agent: Poller) -> None:
    async with asked(agent) as (browser, _):
        assert (await asyncio.wait_for(browser, 5))[0] == 503


async def test_an_agent_that_drops_its_poll_loses_no_request(quick: None, agent: Poller) -> None:
    dropped = asyncio.create_task(agent.pending())
    await asyncio.sleep(0.05)
    dropped.cancel()
    await asyncio.gather(dropped, return_exceptions=True)
    async with asked(agent) as (browser, request_id):
        assert await agent.status("POST", "/agent/response", request_id, data=HELLO) == 200
        assert await browser == (200, "hello")


async def test_a_server_that_stops_waits_for_no_poll(our_server: OurServer, agent: Poller) -> None:
    async with asked(agent) as (browser, _):
        poll = asyncio.create_task(agent.pending())
        await eventually(lambda: our_server.polling._agents[ADA].presence._polls == 1)
        await our_server.polling.stop()
        assert await asyncio.wait_for(poll, 5) == []
        assert (await browser)[0] == 503
        assert await agent.status("GET", "/agent/pending", "") == 503


async def test_when_google_does_not_answer_agents_are_to_try_again(
    our_server: OurServer, agent: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(our_server.polling._verifier._certificates, "_url", "http://127.0.0.1:1/")
    assert await agent.status("GET", "/agent/pending", "") == 503
