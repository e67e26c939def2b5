"""Two users under one registrable domain over TLS, where neighbours are `same-site` and share cookies' domains."""

import hashlib
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from cluster.proxy.backend import MIB
from cluster.proxy.harness import EVE, HTML, Browser, Certificate, System, running_agent, running_proxy
from kupyterhub_rules.names import base_name

DOMAIN = "hub.example"


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    certificate = Certificate(tmp_path, DOMAIN)
    async with running_proxy(tmp_path, domain=DOMAIN, certificate=certificate) as running:
        yield running


async def test_cookies_are_bound_to_their_host_and_to_tls(browser: Browser, ada: str) -> None:
    jar = [cookie for cookie in browser.session.cookie_jar if cookie.value]
    assert {cookie.key for cookie in jar} == {"__Host-kupyterhub-session"}
    assert all(cookie["secure"] and cookie["httponly"] for cookie in jar)
    assert {cookie["domain"] for cookie in jar} == {f"{ada}.{DOMAIN}", f"login.{DOMAIN}"}


async def test_a_host_is_https_alone_from_the_first_answer_on(browser: Browser, ada: str) -> None:
    for host, path in ((ada, "/.kupyterhub/sign-out"), ("login", "/"), (base_name(EVE), "/lab")):
        async with browser.request("GET", host, path, headers=HTML) as answer:
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_a_notebook_is_told_of_https(browser: Browser, ada: str) -> None:
    async with browser.request("POST", ada, "/page") as answer:
        headers = dict((await answer.json())["headers"])
    assert headers["X-Forwarded-Proto"] == "https"
    assert headers["Host"] == f"{ada}.{browser.system.domain}"


async def test_what_arrives_in_many_records_of_tls_at_once_is_whole(browser: Browser, ada: str) -> None:
    sent = os.urandom(3 * MIB)
    async with browser.request("POST", ada, "/page", data=sent[: MIB // 2].hex()) as answer:
        assert (await answer.json())["body"] == sent[: MIB // 2].hex()
    async with browser.request("PUT", ada, "/upload", data=io.BytesIO(sent)) as answer:
        assert (await answer.json())["sha256"] == hashlib.sha256(sent).hexdigest()
    async with browser.websocket(ada, "/ws", headers={"Sec-Fetch-Site": "same-origin"}) as socket:
        for _ in range(5):
            await socket.send_bytes(sent)
            assert await socket.receive_bytes() == sent


async def test_a_neighbours_page_reaches_nothing(
    system: System, browser: Browser, ada: str, backend: TestServer
) -> None:
    eve = system.agent_settings(EVE, str(backend.make_url("/")))
    async with running_agent(eve, system):
        await system.publisher.until("registered", eve.serves.name)
        origin = {"Origin": system.origin(base_name(EVE)), "Sec-Fetch-Site": "same-site"}
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            headers = {**origin, "Sec-Fetch-Mode": "cors"}
            async with browser.request(method, ada, "/api/contents/x", headers=headers) as answer:
                assert answer.status == 403
        for destination in ("script", "image", "iframe", "empty"):
            headers = {**origin, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": destination}
            async with browser.request("GET", ada, "/api/contents", headers=headers) as answer:
                assert answer.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await browser.websocket(ada, "/ws", headers=origin)
        assert refused.value.status == 403
        async with browser.websocket(ada, "/ws", headers={"Sec-Fetch-Site": "same-origin"}) as socket:
            await socket.send_str("mine")
            assert await socket.receive_str() == "mine"


async def test_a_session_of_one_host_opens_no_other(system: System, browser: Browser, ada: str) -> None:
    stolen = next(c for c in browser.session.cookie_jar if c["domain"] == f"{ada}.{DOMAIN}" and c.value)
    thief = Browser(system)
    try:
        headers = {**HTML, "Cookie": f"{stolen.key}={stolen.value}"}
        async with thief.request("GET", base_name(EVE), headers=headers) as answer:
            assert answer.status == 303
        async with thief.request("GET", "login", f"/?host={ada}", headers=headers) as answer:
            assert answer.status == 200
    finally:
        await thief.close()
