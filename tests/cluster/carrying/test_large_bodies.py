"""2 GB each way through the real programs: what they hold of it is bounded."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from cluster.carrying.programs import Programs, running_programs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SIZE = 2 * 1000**3
MIB = 1024 * 1024
GROWTH = 64 * MIB
PIECE = bytes(MIB)


async def send_body(writer: asyncio.StreamWriter) -> None:
    for at in range(0, SIZE, MIB):
        writer.write(PIECE[: SIZE - at])
        await writer.drain()


async def count_body(reader: asyncio.StreamReader) -> int:
    size = 0
    while size < SIZE and (data := await reader.read(MIB)):
        size += len(data)
    return size


async def notebook(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError), contextlib.closing(writer):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if b" /down " in head:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
                await send_body(writer)
                continue
            body = b'{"started": "2026-01-01T00:00:00Z", "last_activity": "2026-01-01T00:00:00Z"}'
            if b" /up " in head:
                body = str(await count_body(reader)).encode()
            elif b" /api/status" not in head:
                body = b"[]"
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )


@pytest.fixture
async def programs(tmp_path: Path) -> AsyncIterator[Programs]:
    server = await asyncio.start_server(notebook, "127.0.0.1", 0, limit=MIB)
    port = server.sockets[0].getsockname()[1]
    with contextlib.closing(server):
        async with running_programs(tmp_path, f"http://127.0.0.1:{port}") as running:
            yield running


def request(programs: Programs, what: str, more: str = "") -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in programs.headers.items())
    return f"{what} HTTP/1.1\r\n{lines}{more}\r\n".encode()


@contextlib.asynccontextmanager
async def bounded(programs: Programs) -> AsyncIterator[None]:
    """Neither program grows by more than GROWTH meanwhile, at any time."""
    both = (programs.server, programs.agent)
    before = [program.memory_info().rss for program in both]
    most = list(before)

    async def watch() -> None:
        while True:
            most[:] = [max(peak, program.memory_info().rss) for peak, program in zip(most, both, strict=True)]
            await asyncio.sleep(0.05)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    grown = [peak - start for peak, start in zip(most, before, strict=True)]
    assert max(grown) < GROWTH, grown


async def test_2_gigabytes_go_each_way_in_bounded_memory(programs: Programs) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", programs.port, limit=MIB)
    async with bounded(programs):
        writer.write(request(programs, "GET /down"))
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        assert await count_body(reader) == SIZE
    async with bounded(programs):
        writer.write(request(programs, "PUT /up", f"Content-Length: {SIZE}\r\n"))
        await send_body(writer)
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(str(SIZE))) == str(SIZE).encode()
    writer.close()


async def test_whoever_leaves_in_the_middle_of_a_download_costs_no_line_of_the_log(
    programs: Programs, tmp_path: Path
) -> None:
    log = tmp_path / "kupyterhub_proxy.log"
    before = log.read_text()
    for number in range(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", programs.port)
        writer.write(request(programs, "GET /down"))
        await reader.read(1000 if number % 2 else MIB)
        if number % 3:
            writer.close()
        else:
            writer.transport.abort()
    await asyncio.sleep(0.5)
    assert log.read_text() == before
