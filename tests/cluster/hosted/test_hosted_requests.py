"""What a browser gets through Google's hosted service."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator

from aiohttp.test_utils import TestServer

from cluster.hosted.conftest import Agent, Browser
from cluster.hosted.google import Google
from cluster.proxy.backend import CANCELLED, MIB
from cluster.proxy.harness import ADA, eventually


async def test_a_request_arrives_with_the_token_and_the_persons_own_host(
    agent: Agent, browser: Browser, google: Google
) -> None:
    async with browser.request("GET", "/a%20b?x=1&token=mine", headers={"Authorization": "Basic x"}) as answer:
        shown = await answer.json()
    headers = dict(shown["headers"])
    assert shown["target"] == "/a%20b?x=1"
    assert headers["Authorization"] == "token t"
    assert headers["X-Forwarded-Host"] == google.service.hostname(ADA)
    assert headers["X-Forwarded-Proto"] == "https"


async def test_a_body_is_posted_once_although_the_service_fails(
    agent: Agent, browser: Browser, google: Google
) -> None:
    google.service.fail("/agent/request")
    google.service.fail("/agent/response", 2)
    async with browser.request("POST", "/api/contents", data="hello") as answer:
        shown = await answer.json()
    assert (shown["method"], shown["body"]) == ("POST", "hello")


async def test_requests_are_carried_beside_each_other(agent: Agent, browser: Browser) -> None:
    async def slow(number: int) -> float:
        began = time.monotonic()
        async with browser.request("GET", f"/forever?{number}") as answer:
            await answer.content.readany()
        return time.monotonic() - began

    assert max(await asyncio.gather(*(slow(number) for number in range(20)))) < 5


async def test_an_upload_streams(agent: Agent, browser: Browser) -> None:
    digest = hashlib.sha256()

    async def body() -> AsyncIterator[bytes]:
        for number in range(64):
            piece = bytes([number]) * MIB
            digest.update(piece)
            yield piece

    async with browser.request("PUT", "/upload", data=body()) as answer:
        assert await answer.json() == {"size": 64 * MIB, "sha256": digest.hexdigest()}


async def test_a_download_streams(agent: Agent, browser: Browser) -> None:
    async with browser.request("GET", "/download?mib=64") as answer:
        size = 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
    assert size == 64 * MIB


async def test_an_answer_is_seen_as_it_comes_and_ends_when_the_browser_goes(
    agent: Agent, browser: Browser, notebook: TestServer
) -> None:
    async with browser.request("GET", "/forever") as answer:
        assert await answer.content.readany() == b"tick\n"
        answer.close()
    await asyncio.wait_for(notebook.app[CANCELLED].wait(), 10)


async def test_an_answer_that_breaks_off_is_not_taken_for_whole(agent: Agent, browser: Browser) -> None:
    async with browser.request("GET", "/broken") as answer:
        try:
            body = await answer.read()
        except Exception:  # noqa: BLE001 - however a client says so
            return
    raise AssertionError(f"half an answer passed for {body!r}")


async def test_a_page_of_another_site_changes_nothing(agent: Agent, browser: Browser) -> None:
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        async with browser.request("POST", "/api/contents", headers=headers) as answer:
            assert answer.status == 403
    async with browser.request("GET", "/", headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        assert answer.status == 403


async def test_a_notebook_that_is_away_is_asked_for_again(
    agent: Agent, browser: Browser, notebook: TestServer
) -> None:
    await notebook.close()
    async with browser.request("GET", "/lab") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "3"
        assert "asks again" in await answer.text()
    async with browser.request("HEAD", "/lab") as answer:
        assert answer.status == 503


async def test_who_is_withdrawn_is_reached_no_more(
    agent: Agent, browser: Browser, google: Google, ada: object, notebook: TestServer
) -> None:
    async with browser.request("GET", "/forever") as answer:
        await answer.content.readany()
        await agent.link.withdraw(ada)  # type: ignore[arg-type]
        await asyncio.wait_for(notebook.app[CANCELLED].wait(), 10)
    await eventually(lambda: google.service.polling[ADA] == 0)
    assert not agent.link.ready


async def test_draining_waits_for_what_is_under_way_and_asks_for_no_more(
    agent: Agent, browser: Browser, google: Google
) -> None:
    async with browser.request("GET", "/forever") as answer:
        await answer.content.readany()
        began = time.monotonic()
        await agent.link.drain(0.3)
        assert 0.2 < time.monotonic() - began < 2
        await eventually(lambda: google.service.polling[ADA] == 0)
        assert await answer.content.readany()
