"""What is no HTTP, or could be read in two ways, reaches nobody and ends its connection."""

import asyncio
import contextlib
import tracemalloc

import pytest

from cluster.carrying.harness import Visit, carrying
from kupyterhub_proxy import limits

HIDDEN = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"

REFUSED = {
    "both lengths": f"Content-Length: {len(HIDDEN) + 5}\r\n{CHUNKED}\r\n\r\n0\r\n\r\n{HIDDEN}",
    "both lengths, the other way": f"{CHUNKED}\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{HIDDEN}",
    "two lengths that differ": f"Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "two lengths that agree": "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "two lengths in one": "Content-Length: 5, 5\r\n\r\nhello",
    "a length with a sign": "Content-Length: +5\r\n\r\nhello",
    "a negative length": "Content-Length: -1\r\n\r\n",
    "a length in hex": "Content-Length: 0x5\r\n\r\nhello",
    "an encoding twice": f"{CHUNKED}\r\n{CHUNKED}\r\n\r\n0\r\n\r\n{HIDDEN}",
    "an encoding that is none": f"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "chunked is not last": f"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{HIDDEN}",
    "an encoding behind a control character": f"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "space before the colon": f"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "space before the name": f" {CHUNKED}\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a bare line feed": f"X-A: 1\nContent-Length: 0\r\n\r\n{HIDDEN}",
    "a bare line feed at the end": f"X-A: 1\n\n{HIDDEN}",
    "a bare carriage return": f"X-A: 1\rContent-Length: 0\r\n\r\n{HIDDEN}",
    "a folded header": f"X-A: 1\r\n {CHUNKED}\r\n\r\n",
    "a folded encoding": f"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a null byte": "X-A: 1\x002\r\n\r\n",
    "a name that is no token": "X(A): 1\r\n\r\n",
    "a header without a colon": "X-A\r\n\r\n",
    "a second host": "Host: evil.example\r\n\r\n",
}
BAD_CHUNKS = {
    "a size that is none": "xyz\r\n",
    "a size with a sign": "+5\r\nhello\r\n0\r\n\r\n",
    "a size in 0x": "0x5\r\nhello\r\n0\r\n\r\n",
    "a size too large for 64 bits": "fffffffffffffffff\r\n",
    "a chunk that is too long": "5\r\nhello!\r\n0\r\n\r\n",
    "a bare line feed behind the size": "5\nhello\r\n0\r\n\r\n",
    "a bare line feed behind the chunk": "5\r\nhello\n0\r\n\r\n",
    "a line feed in an extension": "5;x\nx\r\nhello\r\n0\r\n\r\n",
}
FIRST_LINES = ["GET / HTTP/1.1 x", "GET /\tx HTTP/1.1", "GET / http/1.1", "G(T / HTTP/1.1"]


async def fine(visit: Visit) -> None:
    await visit.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")


@pytest.mark.parametrize("rest", REFUSED.values(), ids=REFUSED)
async def test_a_request_that_could_be_read_in_two_ways_is_refused(rest: str) -> None:
    async with carrying(fine) as carried:
        browser = await carried.browser(
            f"POST / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\n{rest}"
        )
        answers = await browser.rest()
        assert answers.startswith(b"HTTP/1.0 400 ")
        assert answers.count(b"HTTP/1.") == 1  # what was hidden behind it is no request
        assert answers.endswith(b"this is no HTTP request\n")
        assert not carried.visits


@pytest.mark.parametrize("body", BAD_CHUNKS.values(), ids=BAD_CHUNKS)
async def test_bad_chunks_end_the_request_and_its_connection(body: str) -> None:
    async def reading(visit: Visit) -> None:
        while not (data := await visit.reader.read(1000)).endswith(b"0\r\n\r\n") and data:
            pass
        if data:
            await fine(visit)

    async with carrying(reading) as carried:
        browser = await carried.browser(
            f"POST / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\n{CHUNKED}\r\n\r\n{body}{HIDDEN}"
        )
        answers = await browser.rest()
        assert b" 200 " not in answers
        assert not [visit for visit in carried.visits if "/hidden" in visit.head]


@pytest.mark.parametrize("line", FIRST_LINES)
async def test_a_first_line_that_is_none_is_refused(line: str) -> None:
    async with carrying(fine) as carried:
        browser = await carried.browser(f"{line}\r\nHost: {carried.host}\r\n\r\n")
        assert (await browser.rest()).startswith(b"HTTP/1.0 400 ")
        assert not carried.visits


@pytest.mark.parametrize("scheme", ["http", "HTTPS"])
@pytest.mark.parametrize("target", ["/a//b?c=%2F&d", "//evil.example/", "?x", ""])
async def test_a_whole_url_is_asked_for_as_its_path(scheme: str, target: str) -> None:
    async with carrying(fine) as carried:
        browser = await carried.get(f"{scheme}://{carried.host}{target}")
        assert " 200 " in await browser.head()
        path = target if target.startswith("/") else f"/{target}"
        assert carried.visits[0].head.split(" ")[1] == path


async def test_what_follows_an_upgrade_that_is_none_is_not_waited_for_in_vain() -> None:
    async with carrying(fine) as carried:
        upgrade = f"GET /a HTTP/1.1\r\nHost: {carried.host}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
        browser = await carried.browser(f"{upgrade}GET /b HTTP/1.1\r\nHost: {carried.host}\r\n\r\n")
        answers = (await browser.rest()).decode()
        assert answers.count(" 200 ") == 1
        assert "Connection: close" in answers


async def test_little_is_kept_of_what_is_no_http() -> None:
    """Behind a request that is still answered, whoever goes on is not read any more."""

    async def waiting(visit: Visit) -> None:
        await visit.reader.read()

    async with carrying(waiting) as carried:
        browsers = [await carried.get() for _ in range(4)]
        await asyncio.sleep(0.1)
        tracemalloc.start()
        for browser in browsers:
            for _ in range(64):
                browser.writer.write(bytes(65536))
        await asyncio.sleep(1)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        waiting_here = sum(browser.writer.transport.get_write_buffer_size() for browser in browsers)
        assert held - waiting_here < len(browsers) * 256 * 1024


@pytest.mark.parametrize("target", ["*", "http://evil.example/", "evil.example:443", "ftp://x/", "http://u@x/"])
async def test_only_paths_are_asked_for(target: str) -> None:
    async with carrying(fine) as carried:
        browser = await carried.get(target)
        assert " 400 " in await browser.head()
        assert not carried.visits


async def test_another_version_of_http_is_refused() -> None:
    async with carrying(fine) as carried:
        browser = await carried.browser(f"GET / HTTP/2.0\r\nHost: {carried.host}\r\n\r\n")
        assert " 505 " in await browser.head()
        assert not carried.visits


async def test_what_was_refused_is_not_repeated_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with carrying(fine) as carried:
        browser = await carried.get("/?token=secret", "X-A : secret")
        await browser.rest()
    assert "secret" not in caplog.text


async def test_a_head_that_does_not_end_is_refused_when_it_is_too_large() -> None:
    async with carrying(fine) as carried:
        browser = await carried.browser(f"GET / HTTP/1.1\r\nHost: {carried.host}\r\n")
        said = 0
        with contextlib.suppress(ConnectionError):
            while said < 4_000_000:
                await browser.say(f"X-A: {'a' * 32_000}\r\n")
                said += 32_000
                await asyncio.sleep(0.01)
        assert said < 1_000_000, "the connection is closed long before"
        assert not carried.visits


async def test_half_a_head_behind_a_request_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.3)
    async with carrying(fine) as carried:
        browser = await carried.browser(f"GET /1 HTTP/1.1\r\nHost: {carried.host}\r\n\r\nGET /2 HTTP/1.1\r\nHost: x")
        assert (await browser.rest()).count(b" 200 ") == 1


async def test_what_is_no_http_in_the_middle_of_an_upload_ends_it() -> None:
    ended = asyncio.Event()

    async def reading(visit: Visit) -> None:
        while await visit.reader.read(1000):
            pass
        ended.set()

    async with carrying(reading) as carried:
        head = f"POST / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\n{CHUNKED}\r\n\r\n"
        browser = await carried.browser(f"{head}3\r\nabc\r\n")
        await asyncio.sleep(0.2)
        await browser.say("ZZ\r\n\r\n")
        assert b" 200 " not in await browser.rest()
        async with asyncio.timeout(5):
            await ended.wait()


async def test_a_browser_of_http_1_0_is_sent_no_interim_answer() -> None:
    async def reading(visit: Visit) -> None:
        await visit.reader.readexactly(4)
        await fine(visit)

    async with carrying(reading) as carried:
        lines = [f"Host: {carried.host}", f"Origin: {carried.origin}", "Expect: 100-continue", "Content-Length: 4"]
        browser = await carried.browser("\r\n".join(["POST / HTTP/1.0", *lines, "", "body"]))
        answer = await browser.rest()
        assert b" 200 " in answer
        assert b" 100 " not in answer


async def test_a_handshake_with_a_body_is_refused() -> None:
    async with carrying(fine) as carried:
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
        lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", key, "Content-Length: 4"]
        browser = await carried.get("/ws", f"Origin: {carried.origin}", *lines)
        assert " 400 " in await browser.head()
        assert not carried.visits
