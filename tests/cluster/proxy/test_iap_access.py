"""A server behind Identity-Aware Proxy: each request says whose it is."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cluster.proxy.harness import (
    ADA,
    ADMIN,
    EVE,
    HTML,
    Browser,
    Certificate,
    System,
    running_agent,
    running_proxy,
)
from kupyterhub_proxy.identities.settings import Iap
from kupyterhub_proxy.settings import Settings
from kupyterhub_rules.names import base_name
from twins.google_iap import AUDIENCE, IdentityAwareProxy

HEADER = "X-Goog-IAP-JWT-Assertion"
NAME = base_name(ADA)


@pytest.fixture
def iap() -> IdentityAwareProxy:
    return IdentityAwareProxy()


@pytest.fixture
async def keys(iap: IdentityAwareProxy) -> AsyncIterator[TestServer]:
    """Where Google publishes IAP's keys."""

    async def publish(_: web.Request) -> web.Response:
        return web.json_response(iap.keys)

    app = web.Application()
    app.add_routes([web.get("/public_key", publish)])
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)
    yield server
    await server.close()


@pytest.fixture
async def system(tmp_path: Path, keys: TestServer) -> AsyncIterator[System]:
    (tmp_path / "key").write_bytes(b"k" * 32)

    def tests_keys(settings: Settings) -> Settings:
        assert isinstance(settings.identity, Iap)
        identity = dataclasses.replace(settings.identity, keys_url=str(keys.make_url("/public_key")))
        return dataclasses.replace(settings, identity=identity, judged_seconds=0.05)

    environment = {
        "KUPYTERHUB_IDENTITY": "iap",
        "KUPYTERHUB_IAP_AUDIENCE": AUDIENCE,
        "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key"),
    }
    domain = "hub.example"
    async with running_proxy(
        tmp_path,
        domain=domain,
        certificate=Certificate(tmp_path, domain),
        environment=environment,
        change=tests_keys,
    ) as running:
        yield running


@pytest.fixture
async def agent(system: System, backend: TestServer) -> AsyncIterator[str]:
    """Ada's name; an agent serves it."""
    async with running_agent(system.agent_settings(ADA, str(backend.make_url("/"))), system):
        await system.publisher.until("registered", NAME)
        yield NAME


def of(iap: IdentityAwareProxy, email: str, **changed: Any) -> dict[str, str]:
    return {**HTML, HEADER: iap.assertion(email, **changed)}


async def test_owner_and_administrator_come_in_and_the_notebook_sees_no_assertion(
    browser: Browser, iap: IdentityAwareProxy, agent: str
) -> None:
    for email in (ADA, ADMIN):
        async with browser.request("GET", agent, "/page", headers=of(iap, email)) as answer:
            assert answer.status == 200
            assert HEADER.lower() not in {name.lower() for name, _ in (await answer.json())["headers"]}
            assert "Set-Cookie" not in answer.headers


async def test_a_stranger_is_told_who_they_are_and_how_to_sign_out(
    browser: Browser, iap: IdentityAwareProxy, agent: str
) -> None:
    async with browser.request("GET", agent, "/page", headers=of(iap, EVE)) as answer:
        assert answer.status == 403
        text = await answer.text()
    assert EVE in text
    assert 'href="/?gcp-iap-mode=CLEAR_LOGIN_COOKIE"' in text


async def test_a_stranger_does_not_learn_whether_there_is_a_notebook(
    browser: Browser, iap: IdentityAwareProxy
) -> None:
    async with browser.request("GET", NAME, headers=of(iap, EVE)) as answer:
        assert answer.status == 403
    async with browser.request("GET", NAME, headers=of(iap, ADA)) as answer:
        assert answer.status == 503


async def test_a_request_without_an_assertion_says_what_is_missing(browser: Browser, agent: str) -> None:
    spoofed = {**HTML, "X-Goog-Authenticated-User-Email": f"accounts.google.com:{ADA}"}
    for label in (agent, "login"):
        async with browser.request("GET", label, headers=spoofed) as answer:
            assert answer.status == 401
            assert HEADER in await answer.text()


async def test_a_wrong_assertion_is_refused_and_says_why(
    browser: Browser, iap: IdentityAwareProxy, agent: str
) -> None:
    async with browser.request("GET", agent, headers=of(iap, ADA, aud="/projects/9")) as answer:
        assert answer.status == 403
        assert "audience" in await answer.text()
    both = [(HEADER, iap.assertion(EVE)), (HEADER, iap.assertion(ADA))]
    async with browser.session.get(browser.system.url(agent), headers=both) as answer:
        assert answer.status == 403


async def test_the_login_host_leads_to_ones_own_notebook(browser: Browser, iap: IdentityAwareProxy) -> None:
    async with browser.request("GET", "login", headers=of(iap, ADA)) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, f"{browser.system.origin(NAME)}/")
    async with browser.request("GET", "login", "/sign-in", headers=of(iap, ADA)) as answer:
        assert answer.status == 404


async def test_the_path_to_sign_out_is_that_of_all_modes(
    browser: Browser, iap: IdentityAwareProxy, agent: str
) -> None:
    async with browser.request("GET", agent, "/.kupyterhub/sign-out", headers=of(iap, ADA)) as answer:
        assert answer.headers["Location"] == "/?gcp-iap-mode=CLEAR_LOGIN_COOKIE"


async def test_who_is_an_administrator_no_more_loses_an_open_websocket(
    system: System, browser: Browser, iap: IdentityAwareProxy, agent: str
) -> None:
    headers = {HEADER: iap.assertion(ADMIN)}
    async with browser.websocket(agent, "/ws", headers=headers) as socket:
        await socket.send_str("hello")
        assert await socket.receive_str() == "hello"
        (system.folder / "admins").write_text("")
        message = await socket.receive(timeout=5)
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.websocket(agent, "/ws", headers=headers)
    assert refused.value.status == 403


async def test_who_is_an_administrator_no_more_loses_an_open_download_and_the_owner_keeps_theirs(
    system: System, browser: Browser, iap: IdentityAwareProxy, agent: str
) -> None:
    async with (
        browser.request("GET", agent, "/forever", headers=of(iap, ADA)) as owners,
        browser.request("GET", agent, "/forever", headers=of(iap, ADMIN)) as theirs,
    ):
        (system.folder / "admins").write_text("")
        with pytest.raises(aiohttp.ClientError):
            await theirs.content.read()
        owners.content.read_nowait()
        assert await owners.content.readline() == b"tick\n"


async def test_while_googles_keys_are_away_nobody_gets_in(
    browser: Browser, iap: IdentityAwareProxy, keys: TestServer, agent: str
) -> None:
    await keys.close()
    async with browser.request("GET", agent, "/page", headers=of(iap, ADA)) as answer:
        assert answer.status == 503
        assert "cannot be reached" in await answer.text()
