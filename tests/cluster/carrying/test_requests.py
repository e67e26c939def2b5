"""Requests and answers in all their forms, on the wire."""

import asyncio
import gzip

import pytest

from cluster.carrying.harness import Visit, carrying, until
from kupyterhub_proxy.limits import HEADER_BYTES, HEADER_FIELD_BYTES, Limits


async def fine(visit: Visit) -> None:
    await visit.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")


async def test_server_sent_events_arrive_one_by_one() -> None:
    read = asyncio.Queue[None]()

    async def events(visit: Visit) -> None:
        await visit.answer("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(3):
            await visit.answer(f"data: {number}\n\n")
            await asyncio.wait_for(read.get(), 5)  # the next is sent only once this one was read
        visit.writer.close()

    async with carrying(events) as carried:
        browser = await carried.get("/events")
        assert "text/event-stream" in await browser.head()
        for number in range(3):
            assert await browser.reader.readuntil(b"\n\n") in (
                f"e\r\ndata: {number}\n\n".encode(),
                f"9\r\ndata: {number}\n\n".encode(),
                f"\r\n9\r\ndata: {number}\n\n".encode(),
            )
            read.put_nowait(None)


async def test_a_head_arrives_before_its_body() -> None:
    async with carrying(lambda visit: visit.answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")) as carried:
        browser = await carried.get()
        assert "Content-Length: 9" in await browser.head()


async def test_an_answer_without_a_length_arrives_in_chunks_and_loses_its_trailers_only() -> None:
    """Nobody was told that trailers are taken: TE is not passed on."""

    async def chunked(visit: Visit) -> None:
        await visit.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asyncio.sleep(0.05)
        await visit.answer("4\r\nfine\r\n0\r\nX-Trailer: 1\r\n\r\n")

    async with carrying(chunked) as carried:
        browser = await carried.get("/", "Connection: close")
        assert "Transfer-Encoding: chunked" in await browser.head()
        assert await browser.rest() == b"4\r\nfine\r\n0\r\n\r\n"


async def test_an_upload_loses_its_trailers_only() -> None:
    bodies = []

    async def taking(visit: Visit) -> None:
        bodies.append(await visit.reader.readuntil(b"\r\n\r\n"))
        await fine(visit)

    async with carrying(taking) as carried:
        browser = await carried.browser(
            f"POST / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\n"
            "Trailer: X-Trailer\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n"
        )
        assert (await browser.head()).startswith("HTTP/1.1 200 ")
        assert bodies == [b"5\r\nhello\r\n0\r\n\r\n"]
        assert not carried.visits[0].header("Trailer")


async def test_an_answer_that_comes_at_once_goes_at_once_with_its_length() -> None:
    async def chunked(visit: Visit) -> None:
        await visit.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n")

    async with carrying(chunked) as carried:
        browser = await carried.get("/", "Connection: close")
        assert "Content-Length: 4" in await browser.head()
        assert await browser.rest() == b"fine"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
async def test_an_answer_without_a_body_has_none(status: str) -> None:
    async def empty(visit: Visit) -> None:
        await visit.answer(f'HTTP/1.1 {status}\r\nETag: "1"\r\n\r\n')

    async with carrying(empty) as carried:
        browser = await carried.get()
        for _ in range(2):  # and the connection goes on
            head = await browser.head()
            assert head.startswith(f"HTTP/1.1 {status}\r\n")
            assert 'etag: "1"' in head.lower()
            assert "chunked" not in head
            await browser.say(f"GET / HTTP/1.1\r\nHost: {carried.host}\r\n\r\n")


async def test_head_keeps_the_length_and_sends_no_body() -> None:
    async with carrying(lambda visit: visit.answer("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")) as carried:
        browser = await carried.browser(f"HEAD / HTTP/1.1\r\nHost: {carried.host}\r\nConnection: close\r\n\r\n")
        assert "Content-Length: 12345" in await browser.head()
        assert await browser.rest() == b""
        assert carried.visits[0].head.startswith("HEAD / ")


HINTS = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nKeep-Alive: 5\r\nSet-Cookie: __Host-a=1\r\n\r\n"


async def test_hints_arrive_before_the_answer_and_only_what_a_browser_may_see() -> None:
    go_on = asyncio.Event()

    async def early(visit: Visit) -> None:
        await visit.answer(HINTS)
        await go_on.wait()
        await fine(visit)

    async with carrying(early) as carried:
        browser = await carried.get("/", "Connection: close")
        assert await browser.head() == "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
        go_on.set()
        assert (await browser.head()).startswith("HTTP/1.1 200 ")
        assert await browser.rest() == b"fine"


async def test_100_continue_is_between_neighbours() -> None:
    async def early(visit: Visit) -> None:
        await visit.answer("HTTP/1.1 100 Continue\r\n\r\n")
        await fine(visit)

    async with carrying(early) as carried:
        assert (await (await carried.get()).head()).startswith("HTTP/1.1 200 ")


async def test_a_browser_of_http_1_0_gets_no_interim_answer() -> None:
    async def early(visit: Visit) -> None:
        await visit.answer(HINTS)
        await fine(visit)

    async with carrying(early) as carried:
        browser = await carried.browser(f"GET / HTTP/1.0\r\nHost: {carried.host}\r\n\r\n")
        assert (await browser.head()).startswith("HTTP/1.0 200 ")


async def test_of_many_interim_answers_a_few_arrive() -> None:
    async def early(visit: Visit) -> None:
        await visit.answer("HTTP/1.1 102 Processing\r\n\r\n" * 1000)
        await fine(visit)

    async with carrying(early) as carried:
        browser = await carried.get("/", "Connection: close")
        answered = (await browser.rest()).decode()
        assert 1 <= answered.count("HTTP/1.1 102 ") <= 10
        assert answered.count("HTTP/1.1 200 ") == 1
        assert answered.endswith("fine")


async def test_a_body_is_asked_for_when_the_browser_waits_to_be_asked() -> None:
    async def reading(visit: Visit) -> None:
        assert await visit.reader.readexactly(5) == b"hello"
        await fine(visit)

    async with carrying(reading) as carried:
        head = f"PUT / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\nContent-Length: 5\r\n"
        browser = await carried.browser(head + "Expect: 100-continue\r\n\r\n")
        assert await browser.head() == "HTTP/1.1 100 Continue\r\n\r\n"
        await browser.say("hello")
        assert (await browser.head()).startswith("HTTP/1.1 200 ")
        assert not carried.visits[0].header("Expect")


async def test_a_body_that_is_refused_is_never_asked_for() -> None:
    async with carrying(fine) as carried:
        head = f"PUT / HTTP/1.1\r\nHost: {carried.host}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        browser = await carried.browser(head)
        assert (await browser.head()).startswith("HTTP/1.1 403 ")
        assert not carried.visits


async def test_only_100_continue_may_be_expected() -> None:
    async with carrying(fine) as carried:
        browser = await carried.get("/", "Expect: a-miracle")
        assert (await browser.head()).startswith("HTTP/1.1 417 ")


async def test_repeated_headers_stay_apart_and_in_order_both_ways() -> None:
    async def cookies(visit: Visit) -> None:
        await visit.answer(
            "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-B: 2\r\nSet-Cookie: c=3; Path=/\r\nContent-Length: 0\r\n\r\n"
        )

    async with carrying(cookies) as carried:
        browser = await carried.get("/", "X-Twice: 1", "X-Twice: 2")
        lines = (await browser.head()).split("\r\n")
        assert [line for line in lines if line.startswith("Set-Cookie")] == [
            "Set-Cookie: a=1",
            "Set-Cookie: c=3; Path=/",
        ]
        assert carried.visits[0].header("X-Twice") == ["1", "2"]


async def test_hop_by_hop_headers_end_at_each_hop() -> None:
    async def answering(visit: Visit) -> None:
        await visit.answer(
            "HTTP/1.1 200 OK\r\nConnection: X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n"
            "Proxy-Authenticate: x\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"
        )

    async with carrying(answering) as carried:
        asked = [
            "Connection: keep-alive, X-Mine",
            "X-Mine: 1",
            "TE: trailers",
            "Proxy-Authorization: x",
            "Upgrade: h2c",
        ]
        head = (await (await carried.get("/", *asked)).head()).lower()
        for name in ("x-secret", "keep-alive", "proxy-authenticate", "upgrade"):
            assert name not in head
        for name in ("X-Mine", "TE", "Proxy-Authorization", "Upgrade"):
            assert not carried.visits[0].header(name)


async def test_a_gzipped_upload_arrives_as_it_was_sent() -> None:
    body = gzip.compress(b"hello" * 1000)

    async def reading(visit: Visit) -> None:
        assert await visit.reader.readexactly(len(body)) == body
        await fine(visit)

    async with carrying(reading) as carried:
        head = (
            f"PUT / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\nContent-Length: {len(body)}\r\n"
        )
        browser = await carried.browser(head.encode() + b"Content-Encoding: gzip\r\n\r\n" + body)
        assert (await browser.head()).startswith("HTTP/1.1 200 ")
        assert carried.visits[0].header("Content-Encoding") == ["gzip"]
        assert carried.visits[0].header("Content-Length") == [str(len(body))]


async def test_a_browser_that_goes_away_before_the_answer_ends_the_request_at_the_notebook() -> None:
    gone = asyncio.Event()

    async def never(visit: Visit) -> None:
        assert await visit.reader.read() == b""
        gone.set()

    async with carrying(never) as carried:
        browser = await carried.get()
        await until(lambda: bool(carried.visits))
        browser.writer.close()
        await asyncio.wait_for(gone.wait(), 5)


async def test_a_notebook_that_does_not_answer_in_time_is_given_up_with_504() -> None:
    gone = asyncio.Event()

    async def never(visit: Visit) -> None:
        assert await visit.reader.read() == b""
        gone.set()

    async with carrying(never, Limits(first_byte_seconds=0.2)) as carried:
        browser = await carried.get()
        assert (await browser.head()).startswith("HTTP/1.1 504 ")
        await asyncio.wait_for(gone.wait(), 5)


async def test_time_counts_from_the_last_piece_of_an_upload_and_not_while_it_moves() -> None:
    async def slow(visit: Visit) -> None:
        await visit.reader.readexactly(8)
        await asyncio.sleep(0.2)
        await visit.answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n")
        await asyncio.sleep(0.4)  # a body may take its time
        await visit.answer("x")

    async with carrying(slow, Limits(first_byte_seconds=0.3)) as carried:
        head = f"PUT / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\nContent-Length: 8\r\n\r\n"
        browser = await carried.browser(head)
        for _ in range(8):
            await browser.say("x")
            await asyncio.sleep(0.1)
        assert (await browser.head()).startswith("HTTP/1.1 200 ")
        assert await asyncio.wait_for(browser.reader.readexactly(1), 5) == b"x"


async def test_too_many_requests_at_once_are_refused_until_one_ends() -> None:
    go_on = asyncio.Event()

    async def waiting(visit: Visit) -> None:
        await go_on.wait()
        await fine(visit)

    async with carrying(waiting, Limits(requests=3)) as carried:
        open_ones = [await carried.get() for _ in range(3)]
        await until(lambda: len(carried.visits) == 3)
        head = await (await carried.get()).head()
        assert head.startswith("HTTP/1.1 429 ")
        assert "Retry-After: 1" in head
        go_on.set()
        for browser in open_ones:
            assert (await browser.head()).startswith("HTTP/1.1 200 ")
        assert (await (await carried.get()).head()).startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "headers",
    [
        ["X-Large: " + "x" * (HEADER_FIELD_BYTES + 1000)],
        [f"X-{number}: {'x' * 1000}" for number in range(HEADER_BYTES // 1000 + 1)],
        [f"X-{number}: 1" for number in range(200)],
    ],
    ids=["one header", "all headers", "many headers"],
)
async def test_headers_that_are_too_large_are_refused(headers: list[str]) -> None:
    async with carrying(fine) as carried:
        browser = await carried.get("/", *headers)
        head = await browser.head()
        assert " 431 " in head
        body = await browser.rest()
        assert b"more than this server takes" in body
        assert b"xxx" not in body
        assert not carried.visits


async def test_headers_as_large_as_browsers_make_them_pass() -> None:
    async with carrying(fine) as carried:
        browser = await carried.get("/" + "p" * 8000, "Cookie: a=" + "x" * 16000, "X-More: " + "x" * 16000)
        assert (await browser.head()).startswith("HTTP/1.1 200 ")
