"""HTTP/1.1 by hand, as the stand-ins read and write it: they share no code with what they test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

    import aiohttp

Pairs = list[tuple[str, str]]

HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-connection"}


async def read_head(reader: aiohttp.StreamReader) -> tuple[str, Pairs]:
    """The first line and the headers."""
    first = (await reader.readuntil(b"\r\n")).decode().rstrip("\r\n")
    headers: Pairs = []
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        name, colon, value = line.decode().partition(":")
        assert colon, line
        assert name == name.strip()
        headers.append((name, value.strip()))
    return first, headers


async def read_body(reader: aiohttp.StreamReader, headers: Pairs) -> AsyncIterator[bytes]:
    framing = {name.lower(): value for name, value in headers}
    assert not {"content-length", "transfer-encoding"} <= framing.keys()
    if framing.get("transfer-encoding") == "chunked":
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield await reader.readexactly(size)
            assert await reader.readuntil(b"\r\n") == b"\r\n"
        assert await reader.readuntil(b"\r\n") == b"\r\n"
        return
    left = int(framing.get("content-length", "0"))
    while left:
        piece = await reader.readany()
        assert piece
        assert len(piece) <= left
        left -= len(piece)
        yield piece


async def chunked(first: str, headers: Pairs, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """A whole message, as Go's net/http writes one that it was told to chunk."""
    kept = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP | {"content-length"}]
    lines = [first, *(f"{name}: {value}" for name, value in kept), "Transfer-Encoding: chunked"]
    yield ("\r\n".join(lines) + "\r\n\r\n").encode()
    async for piece in body:
        yield b"%x\r\n" % len(piece) + piece + b"\r\n"
    yield b"0\r\n\r\n"


def has_body(headers: Pairs) -> bool:
    return any(
        name.lower() == "transfer-encoding" or (name.lower() == "content-length" and value != "0")
        for name, value in headers
    )
