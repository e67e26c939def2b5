"""Requests that readers could disagree on: each is refused, and nothing follows on its connection."""

import asyncio

import pytest

from cluster.proxy.harness import System
from kupyterhub_proxy import limits

NEXT = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"


async def said(system: System, request: bytes, *, until: int = 9) -> bytes:
    """All that arrives, or so many answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", system.port)
    host = f"login.{system.domain}".encode()
    writer.write(request.replace(b"HOST", host) + NEXT % host)
    received = b""
    try:
        async with asyncio.timeout(10):
            while received.count(b"HTTP/1.1 ") < until and (chunk := await reader.read(65536)):
                received += chunk
    finally:
        writer.close()
    return received


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 05",
        "Content-Length: +5",
        "Content-Length: 5, 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 0x5",
        "Content-Length:",
        "Transfer-Encoding: cow, chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding:\r\nContent-Length: 5",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Transfer-Encoding: identity\r\nContent-Length: 5",
        "Transfer-Encoding: \x0bchunked",
    ],
)
@pytest.mark.parametrize("body", [b"a=b&c", b"5\r\na=b&c\r\n0\r\n\r\n", b""], ids=["plain", "chunked", "none"])
async def test_where_it_ends_is_said_once_and_plainly(system: System, headers: str, body: bytes) -> None:
    request = f"POST /sign-in HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\n{headers}\r\n\r\n".encode()

    received = await said(system, request + body)

    assert received.split(b" ", 2)[1] == b"400"
    assert received.count(b"HTTP/1.") == 1


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: 5", b"a=b&c"),
        ("Transfer-Encoding: Chunked", b"5\r\na=b&c\r\n0\r\n\r\n"),
        ("Content-Length: 0", b""),
    ],
)
async def test_what_is_said_plainly_is_taken(system: System, headers: str, body: bytes) -> None:
    form = "Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://HOST"
    received = await said(
        system, f"POST /sign-in HTTP/1.1\r\nHost: HOST\r\n{form}\r\n{headers}\r\n\r\n".encode() + body, until=2
    )

    assert b"That is not an e-mail address" in received
    assert received.count(b"HTTP/1.1 200 ") == 1


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", b"GET / HTTP/1.1\r\nHost: HOST\r\n", NEXT + b"GET / HT"],
    ids=["none", "one byte", "half", "a second"],
)
async def test_a_request_that_never_ends_its_head_is_given_up(
    system: System, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", system.port)
    whole, rest = (sent[: len(NEXT)], sent[len(NEXT) :]) if sent.startswith(NEXT) else (b"", sent)
    try:
        async with asyncio.timeout(10):
            if whole:
                writer.write(whole.replace(b"%s", f"login.{system.domain}".encode()))
                await reader.readuntil(b"</html>")
                await asyncio.sleep(0.5)  # between requests there is time
            writer.write(rest)
            await reader.read()
    finally:
        writer.close()
