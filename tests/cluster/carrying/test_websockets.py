"""WebSockets on the wire, beyond what tests/cluster/proxy holds of messages, subprotocols and close codes."""

import asyncio
import base64
import hashlib

import pytest

from cluster.carrying.harness import Carried, RawBrowser, Visit, carrying, until
from kupyterhub_proxy.limits import Limits

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


async def accept(visit: Visit) -> None:
    digest = hashlib.sha1((visit.header("Sec-WebSocket-Key")[0] + MAGIC).encode()).digest()  # noqa: S324 - RFC 6455
    await visit.answer(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n\r\n"
    )


async def receive(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one small frame, masked or not."""
    first, second = await asyncio.wait_for(reader.readexactly(2), 5)
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    mask = await reader.readexactly(4) if second & 0x80 else bytes(4)
    content = await asyncio.wait_for(reader.readexactly(size), 5)
    return first & 0x0F, bytes(byte ^ mask[at % 4] for at, byte in enumerate(content))


def frame(kind: int, content: bytes = b"", *, masked: bool = False, last: bool = True) -> bytes:
    assert len(content) < 126
    head = bytes([(0x80 if last else 0) | kind, (0x80 if masked else 0) | len(content)])
    return head + (bytes(4) if masked else b"") + content


async def upgraded(carried: Carried, *headers: str) -> RawBrowser:
    browser = await carried.get("/ws", "Connection: Upgrade", "Upgrade: websocket", *_handshake(carried), *headers)
    assert (await browser.head()).startswith("HTTP/1.1 101 ")
    return browser


def _handshake(carried: Carried) -> list[str]:
    return [f"Origin: {carried.origin}", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]


async def test_pings_of_the_browser_and_of_the_notebook_are_answered_at_once() -> None:
    async def pinging(visit: Visit) -> None:
        await accept(visit)
        visit.writer.write(frame(PING, b"are you there"))
        assert await receive(visit.reader) == (PONG, b"are you there")
        visit.writer.write(frame(TEXT, b"yes"))
        await visit.reader.read()

    async with carrying(pinging) as carried:
        browser = await upgraded(carried)
        await browser.say(frame(PING, b"and you", masked=True))
        answers = {await receive(browser.reader), await receive(browser.reader)}
        assert answers == {(PONG, b"and you"), (TEXT, b"yes")}


async def test_fragments_pass_as_they_come_and_are_waited_for_by_nobody() -> None:
    async def echoing(visit: Visit) -> None:
        await accept(visit)
        for last in (False, True):
            kind, content = await receive(visit.reader)
            visit.writer.write(frame(kind, content, last=last))
        await visit.reader.read()

    async with carrying(echoing) as carried:
        browser = await upgraded(carried)
        await browser.say(frame(BINARY, b"hel", masked=True, last=False))
        assert await receive(browser.reader) == (BINARY, b"hel")
        await browser.say(frame(0, b"lo", masked=True))
        assert await receive(browser.reader) == (0, b"lo")


async def test_no_compression_is_agreed_on_with_either() -> None:
    async def echoing(visit: Visit) -> None:
        await accept(visit)
        await visit.reader.read()

    async with carrying(echoing) as carried:
        offer = "Sec-WebSocket-Extensions: permessage-deflate"
        browser = await carried.get("/ws", "Connection: Upgrade", "Upgrade: websocket", *_handshake(carried), offer)
        assert "extensions" not in (await browser.head()).lower()
        assert not carried.visits[0].header("Sec-WebSocket-Extensions")


async def test_a_slow_reader_of_a_websocket_holds_up_nobody() -> None:
    sent = 0

    async def flooding(visit: Visit) -> None:
        nonlocal sent
        if not visit.header("Upgrade"):
            await visit.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
            return
        await accept(visit)
        message = b"\x82\x7f" + (60_000).to_bytes(8, "big") + bytes(60_000)
        while True:
            visit.writer.write(message)
            await visit.writer.drain()
            sent += 1

    async with carrying(flooding) as carried:
        await upgraded(carried)  # and never reads
        await until(lambda: sent > 0)
        before = -1
        while before != sent:  # until it is held up
            before = sent
            await asyncio.sleep(0.3)
        for _ in range(10):
            assert (await (await carried.get()).head()).startswith("HTTP/1.1 200 ")


async def test_open_websockets_count_among_the_requests_of_a_user() -> None:
    async def holding(visit: Visit) -> None:
        await accept(visit)
        await visit.reader.read()

    async with carrying(holding, Limits(requests=1)) as carried:
        browser = await upgraded(carried)
        assert (await (await carried.get()).head()).startswith("HTTP/1.1 429 ")
        browser.writer.close()


@pytest.mark.parametrize("missing", ["Connection", "Version"])
async def test_half_a_handshake_opens_nothing(missing: str) -> None:
    async def fine(visit: Visit) -> None:
        if visit.header("Upgrade"):
            await accept(visit)
            await visit.reader.read()
        else:
            await visit.answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with carrying(fine) as carried:
        lines = ["Connection: Upgrade", "Upgrade: websocket", *_handshake(carried)]
        browser = await carried.get("/ws", *(line for line in lines if missing not in line))
        assert " 400 " in await browser.head()


async def test_a_browser_that_vanishes_closes_the_notebooks_websocket() -> None:
    closed = asyncio.Event()

    async def holding(visit: Visit) -> None:
        await accept(visit)
        kind, content = await receive(visit.reader)
        assert (kind, content[:2]) == (CLOSE, (1001).to_bytes(2, "big"))
        closed.set()

    async with carrying(holding) as carried:
        browser = await upgraded(carried)
        browser.writer.transport.abort()
        await asyncio.wait_for(closed.wait(), 10)
