"""What is carried, both ways, between a browser and a notebook's stand-in."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator

import aiohttp
import psutil
import pytest
from aiohttp import WSMsgType
from aiohttp.test_utils import TestServer

from cluster.proxy.backend import CANCELLED, CLOSED, GZIPPED, MIB
from cluster.proxy.harness import Browser, System, eventually

GROWTH = 64 * MIB


async def test_method_path_query_and_body_arrive_as_they_were_sent(browser: Browser, ada: str) -> None:
    target = "/files/a%2Fb%20c?x=%C3%A9+1&&y"
    async with browser.request("PATCH", ada, target, data="héllo") as answer:
        seen = await answer.json()
    assert (seen["method"], seen["target"], seen["body"]) == ("PATCH", target, "héllo")


async def test_a_notebook_sees_neither_spoofed_headers_nor_the_proxys_cookies(
    system: System, browser: Browser, ada: str
) -> None:
    spoofed = {
        "Authorization": "token guessed",
        "Cookie": "_xsrf=1; kupyterhub-nonce=x",
        "X-Forwarded-For": "8.8.8.8",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "X-Goog-Authenticated-User-Email": "admin@example.org",
        "X-Goog-IAP-JWT-Assertion": "a.b.c",
        "X-Inverting-Proxy-User-ID": "admin@example.org",
    }
    async with browser.request("GET", ada, "/page?token=guessed&a=1", headers=spoofed) as answer:
        seen = await answer.json()
    headers: dict[str, list[str]] = {}
    for name, value in seen["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    host = f"{ada}.{system.domain}"
    assert seen["target"] == "/page?a=1"
    assert headers["authorization"] == ["token t"]
    assert headers["host"] == [host]
    assert headers["x-forwarded-for"] == ["127.0.0.1"]
    assert headers["x-forwarded-host"] == [host]
    assert headers["x-forwarded-proto"] == ["http"]
    assert "kupyterhub" not in str(headers["cookie"])
    assert not [name for name in headers if name.startswith(("x-goog", "x-inverting"))]


async def test_an_answer_keeps_only_what_is_its_hosts_own(browser: Browser, ada: str) -> None:
    async with browser.request("GET", ada, "/spoofing") as answer:
        assert answer.headers.getall("Set-Cookie") == ["a=1; Path=/", "c=3"]
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_gzip_passes_untouched(browser: Browser, ada: str) -> None:
    async with browser.request("GET", ada, "/gzip") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.read() == GZIPPED


async def test_head_has_a_length_and_no_body(browser: Browser, ada: str) -> None:
    async with browser.request("HEAD", ada, "/gzip") as answer:
        assert answer.headers["Content-Length"] == str(len(GZIPPED))
        assert await answer.read() == b""


async def test_200_megabytes_go_up_in_bounded_memory(browser: Browser, ada: str) -> None:
    digest, before = hashlib.sha256(), psutil.Process().memory_info().rss

    async def body() -> AsyncIterator[bytes]:
        for number in range(200):
            chunk = bytes([number]) * MIB
            digest.update(chunk)
            yield chunk

    async with browser.request("PUT", ada, "/upload", data=body()) as answer:
        assert await answer.json() == {"size": 200 * MIB, "sha256": digest.hexdigest()}
    assert psutil.Process().memory_info().rss - before < GROWTH


async def test_200_megabytes_come_down_in_bounded_memory(browser: Browser, ada: str) -> None:
    before, size = psutil.Process().memory_info().rss, 0
    async with browser.request("GET", ada, "/download?mib=200") as answer:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
    assert size == 200 * MIB
    assert psutil.Process().memory_info().rss - before < GROWTH


async def test_a_slow_reader_holds_up_nobody_and_costs_little(browser: Browser, ada: str) -> None:
    before = psutil.Process().memory_info().rss
    async with browser.request("GET", ada, "/download?mib=500") as slow:
        await slow.content.read(1)
        await asyncio.sleep(0.5)
        async with asyncio.timeout(2):
            for _ in range(20):
                async with browser.request("GET", ada, "/page") as answer:
                    assert answer.status == 200
        assert psutil.Process().memory_info().rss - before < GROWTH
        slow.close()


async def test_an_upload_that_is_refused_gets_its_answer(browser: Browser, ada: str) -> None:
    async with browser.request("PUT", ada, "/refuse", data=io.BytesIO(b"x" * (5 * MIB))) as answer:
        assert (answer.status, await answer.text()) == (413, "too large")


async def test_half_an_answer_does_not_look_whole(browser: Browser, ada: str) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        async with browser.request("GET", ada, "/broken") as answer:
            await answer.read()


async def test_a_browser_that_goes_away_ends_the_request_at_the_notebook(
    browser: Browser, ada: str, backend: TestServer
) -> None:
    async with browser.request("GET", ada, "/forever") as answer:
        assert await answer.content.readline() == b"tick\n"
        answer.close()
    await asyncio.wait_for(backend.app[CANCELLED].wait(), 5)


async def test_a_websocket_carries_text_binary_and_its_subprotocol(browser: Browser, ada: str) -> None:
    async with browser.websocket(ada, "/ws", protocols=("v1", "v3"), max_msg_size=0) as socket:
        assert socket.protocol == "v1"
        for text in ("", "héllo", "x" * (5 * MIB)):
            await socket.send_str(text)
            assert await socket.receive_str() == text
        for data in (b"", bytes(range(256)), b"x" * (5 * MIB)):
            await socket.send_bytes(data)
            assert await socket.receive_bytes() == data


async def test_a_notebooks_close_code_and_reason_reach_the_browser(browser: Browser, ada: str) -> None:
    async with browser.websocket(ada, "/ws") as socket:
        assert socket.protocol is None
        await socket.send_str("close")
        message = await socket.receive()
        assert (message.type, message.data, message.extra) == (WSMsgType.CLOSE, 4321, "as you wish")


@pytest.mark.parametrize(("sent", "seen"), [(4000, 4000), (1000, 1000)])
async def test_a_browsers_close_code_reaches_the_notebook(
    browser: Browser, ada: str, backend: TestServer, sent: int, seen: int
) -> None:
    async with browser.websocket(ada, "/ws") as socket:
        await socket.send_str("x")
        await socket.receive_str()
        await socket.close(code=sent)
    await eventually(lambda: bool(backend.app[CLOSED]))
    assert backend.app[CLOSED] == [seen]


async def test_a_websocket_that_the_notebook_refuses_is_refused_by_its_status(browser: Browser, ada: str) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.websocket(ada, "/api/status")
    assert refused.value.status == 200
