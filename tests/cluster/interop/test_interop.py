"""What passes between a browser and a notebook when agent and server are not of one maker.

Three things Google's programs cannot do: its server flushes an answer every 4 KiB only, and so learns late that a
browser is gone; and both give half an answer a proper end.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import aiohttp
import psutil
import pytest

from cluster.interop.conftest import FRONTS
from cluster.proxy.backend import GZIPPED, MIB

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cluster.interop.conftest import Front

GROWTH = 64 * MIB


async def test_a_get_arrives_as_it_was_sent(front: Front) -> None:
    target = "/files/a%2Fb%20c?x=%C3%A9+1&&y"
    async with front.request("GET", target, headers={"X-Twice": "1"}) as answer:
        seen = await answer.json()
    assert (seen["method"], seen["target"], seen["body"]) == ("GET", target, "")
    assert ["X-Twice", "1"] in seen["headers"]


async def test_a_post_arrives_with_its_body(front: Front) -> None:
    async with front.request("POST", "/x", data="héllo") as answer:
        seen = await answer.json()
    assert (seen["method"], seen["body"]) == ("POST", "héllo")


async def test_a_post_without_a_body_arrives(front: Front) -> None:
    async with front.request("POST", "/x") as answer:
        assert (await answer.json())["body"] == ""


async def test_a_notebook_is_told_of_the_host_and_nothing_that_the_browser_invented(front: Front) -> None:
    spoofed = {
        "Authorization": "token guessed",
        "X-Inverting-Proxy-User-ID": "admin@example.org",
        "X-Goog-IAP-JWT-Assertion": "a.b.c",
    }
    async with front.request("GET", "/x?token=guessed", headers=spoofed) as answer:
        seen = await answer.json()
    told = {name.lower(): value for name, value in seen["headers"]}
    assert seen["target"] == "/x"
    assert told.get("authorization") != "token guessed"
    assert not [name for name in told if name.startswith(("x-goog", "x-inverting"))]
    assert told["host"] == told["x-forwarded-host"] == front.origin.removeprefix("http://")
    assert told["x-forwarded-proto"] == "http"


async def test_what_is_another_sites_is_refused(front: Front) -> None:
    async with front.request("POST", "/x", headers={"Origin": "https://evil.example"}) as answer:
        assert answer.status == 403
    async with front.request("GET", "/x", headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        assert answer.status == 403


async def test_an_answer_keeps_only_what_is_its_hosts_own(front: Front) -> None:
    async with front.request("GET", "/spoofing") as answer:
        assert answer.headers.getall("Set-Cookie") == ["a=1; Path=/", "c=3"]
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_gzip_passes_untouched(front: Front) -> None:
    async with front.request("GET", "/gzip") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.read() == GZIPPED


async def test_an_answer_to_head_has_no_body_and_the_next_request_is_answered(front: Front) -> None:
    for _ in range(3):
        async with front.request("HEAD", "/gzip") as answer:
            assert answer.status == 200
            assert await answer.read() == b""
        async with front.request("GET", "/api") as answer:
            assert (await answer.json())["version"] == "2"


@pytest.mark.parametrize("status", [204, 304, 404, 500])
async def test_a_status_arrives(front: Front, status: int) -> None:
    async with front.request("GET", f"/status/{status}") as answer:
        assert answer.status == status
        assert await answer.read() == (b"" if status in {204, 304} else b"as you wish")


@pytest.mark.parametrize("front", [front for front in FRONTS if front != "Google's server"], indirect=True)
async def test_an_answer_streams(front: Front) -> None:
    async with front.request("GET", "/forever") as answer:
        for _ in range(3):
            assert await asyncio.wait_for(answer.content.readline(), 5) == b"tick\n"


@pytest.mark.parametrize("front", [front for front in FRONTS if front != "Google's server"], indirect=True)
async def test_a_browser_that_goes_away_ends_the_request_at_the_notebook(front: Front) -> None:
    async with front.request("GET", "/forever") as answer:
        await answer.content.readline()
        answer.close()
    await asyncio.wait_for(front.cancelled.wait(), 15)


@pytest.mark.parametrize("front", ["stand-in agent", "stand-in server"], indirect=True)
async def test_half_an_answer_does_not_look_whole(front: Front) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        async with front.request("GET", "/broken") as answer:
            await answer.read()


async def test_an_upload_that_is_refused_early_gets_its_answer(front: Front) -> None:
    async with front.request("PUT", "/refuse", data=pieces(4)) as answer:
        assert answer.status == 413
        assert await answer.text() == "too large"


async def test_fifty_at_a_time_are_each_answered_with_their_own(front: Front) -> None:
    async def ask(number: int) -> tuple[str, str]:
        async with front.request("POST", f"/n?{number}", data=str(number) * 1000) as answer:
            seen = await answer.json()
            return seen["target"], seen["body"]

    asked = asyncio.gather(*(ask(number) for number in range(50)))
    assert await asked == [(f"/n?{number}", str(number) * 1000) for number in range(50)]


async def test_100_megabytes_go_up_in_bounded_memory(front: Front) -> None:
    before = psutil.Process().memory_info().rss
    async with front.request("PUT", "/upload", data=pieces(100)) as answer:
        seen = await answer.json()
    digest = hashlib.sha256()
    async for piece in pieces(100):
        digest.update(piece)
    assert seen == {"size": 100 * MIB, "sha256": digest.hexdigest()}
    assert psutil.Process().memory_info().rss - before < GROWTH


async def test_100_megabytes_come_down_in_bounded_memory(front: Front) -> None:
    before, size = psutil.Process().memory_info().rss, 0
    async with front.request("GET", "/download?mib=100") as answer:
        async for chunk in answer.content.iter_any():
            size += len(chunk)
    assert size == 100 * MIB
    assert psutil.Process().memory_info().rss - before < GROWTH


async def test_a_browser_that_does_not_read_stops_the_notebook(front: Front) -> None:
    before = psutil.Process().memory_info().rss
    async with front.request("GET", "/download?mib=300") as answer:
        await answer.content.readany()
        await asyncio.sleep(0.5)
        assert psutil.Process().memory_info().rss - before < GROWTH
        answer.close()


async def pieces(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number]) * MIB


@pytest.mark.parametrize("front", ["stand-in agent"], indirect=True)
async def test_a_websocket_is_refused_clearly_where_agents_poll(front: Front) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await front.session.ws_connect(f"{front.url}/ws", headers={"Origin": front.origin})
    assert refused.value.status == 501
