"""Answers of a hostile agent, as they arrive at a browser's connection that others may use after."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web

from kupyterhub_proxy.forward import Forwarder, head_of
from kupyterhub_proxy.http_server import HttpServer
from kupyterhub_tunnel.heads import AnswerHead, RequestHead

NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Hostile:
    """A carrier, and each of its channels: says what it is told to say, and what is left over is the next answer."""

    heads: list[AnswerHead]
    body: list[bytes]
    at_once: bool = False
    websockets: bool = True

    async def open(self, head: RequestHead) -> "Hostile":
        return self if head.target != "/next" else Hostile([AnswerHead(200, "OK", ())], [b"of the next"])

    async def head(self) -> AnswerHead:
        return self.heads.pop(0)

    def whole(self) -> bytes | None:
        return b"".join(self.body) if self.at_once else None

    async def read(self) -> bytes:
        return self.body.pop(0) if self.body else b""

    async def release(self) -> None:
        pass


@asynccontextmanager
async def serving(carrier: Hostile) -> AsyncIterator[int]:
    forwarder = Forwarder()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return await forwarder.forward(request, head_of(request, "ada"), carrier)

    runner = web.ServerRunner(HttpServer(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def said(carrier: Hostile, request: bytes = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") -> bytes:
    """All that arrives for a request and another one on the same connection."""
    async with serving(carrier) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request + NEXT)
        received = b""
        try:
            async with asyncio.timeout(5):
                while chunk := await reader.read(65536):
                    received += chunk
                    if b"of the next" in received:
                        break
        finally:
            writer.close()
        return received


def head(*headers: tuple[str, str], status: int = 200, reason: str = "OK") -> AnswerHead:
    return AnswerHead(status, reason, headers)


SMUGGLED = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    ("answer", "body"),
    [
        pytest.param(head(("Content-Length", "2")), [b"ok", SMUGGLED], id="more than its length"),
        pytest.param(head(("Content-Length", "2")), [b"ok" + SMUGGLED], id="more than its length in one"),
        pytest.param(head(("Content-Length", "0")), [SMUGGLED], id="something after length 0"),
        pytest.param(head(("Content-Length", "50")), [b"ok"], id="less than its length"),
        pytest.param(head(("Content-Length", "2"), ("Content-Length", "49")), [b"ok", SMUGGLED], id="two lengths"),
        pytest.param(head(("Content-Length", "2"), ("content_length", "49")), [b"ok"], id="two spellings"),
        *(
            pytest.param(head(("Content-Length", length)), [b"ok"], id=f"length {length!r}")
            for length in ("+2", "-2", "2,2", " 2", "0x2", "\u0662", "", "9" * 40, "2\r\nX: y")
        ),
        *(
            pytest.param(head((name, "0")), [b"ok", SMUGGLED], id=f"name {name!r}")
            for name in ("Content-Length: 2\r\nX", "Content-Length:2", "Content-Length ", "X\r\n\r\n", "", "\u00e9")
        ),
        *(
            pytest.param(head(("X", value)), [b"ok"], id=f"value {value!r}")
            for value in ("a\rb", "a\r\n\r\nHTTP/1.1 200 OK", "a\0b", "a\x7f")
        ),
        *(pytest.param(head(status=status), [SMUGGLED], id=f"status {status}") for status in (101, 600, 999, 20000)),
        pytest.param(head(reason="OK\r\nX: y"), [b"ok"], id="reason"),
    ],
)
async def test_what_is_no_answer_is_nobody_elses_either(
    answer: AnswerHead, body: list[bytes], *, at_once: bool
) -> None:
    received = await said(Hostile([answer, answer], body, at_once))

    first, _, rest = received.partition(b"\r\n")
    assert b"evil" not in received
    if first.startswith(b"HTTP/1.1 502 "):
        assert rest.count(b"HTTP/1.1 ") == 1
        assert b"of the next" in rest
    else:
        # It was begun, and broken off: nothing more comes on this connection.
        assert first == b"HTTP/1.1 200 OK"
        assert b"of the next" not in rest


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "in pieces"])
@pytest.mark.parametrize("headers", [(), (("Content-Length", "6"),), (("Transfer-Encoding", "chunked"),)])
async def test_what_is_an_answer_arrives_and_so_does_the_next(
    headers: tuple[tuple[str, str], ...], *, at_once: bool
) -> None:
    received = await said(Hostile([head(*headers)], [b"abc", b"def"], at_once))

    assert b"abc" in received
    assert b"of the next" in received
    assert (b"Content-Length: 6\r\n" in received) is (at_once or "Content-Length" in dict(headers))


@pytest.mark.parametrize("status", [204, 304])
async def test_what_has_no_body_gets_none(status: int) -> None:
    received = await said(Hostile([head(status=status)], [SMUGGLED]))

    assert b"evil" not in received
    assert b"of the next" in received


async def test_an_answer_to_head_says_its_length_and_gives_nothing() -> None:
    request = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"

    received = await said(Hostile([head(("Content-Length", "46"))], [SMUGGLED]), request)

    assert b"Content-Length: 46\r\n" in received
    assert b"evil" not in received
    assert b"of the next" in received


@pytest.mark.parametrize(
    "hint",
    [
        head(("Link", "</a>"), ("X: y\r\nZ", "1"), status=103),
        head(("Link", "</a>\rX"), status=103),
        head(status=99),
        head(status=0),
    ],
)
async def test_an_interim_answer_that_is_none_is_left_out(hint: AnswerHead) -> None:
    received = await said(Hostile([hint, head()], [b"ok"]))

    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b"of the next" in received
