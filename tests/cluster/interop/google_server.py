"""google/inverting-proxy's server: a stand-in that does what its protocol says, and the program itself."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from cluster.interop.raw_http import HOP_BY_HOP, Pairs, chunked, has_body, read_body, read_head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Pending:
    request: web.BaseRequest
    answer: asyncio.Queue[tuple[str, Pairs]] = field(default_factory=lambda: asyncio.Queue(1))
    body: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(1))
    """None: it broke off. Empty bytes: its end."""


class StandInServer:
    """Anybody may ask, and anybody who names a backend may answer: as Google's program for tests has it."""

    def __init__(self) -> None:
        self._pending: dict[str, Pending] = {}
        self._waiting: asyncio.Queue[str] = asyncio.Queue()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if "X-Inverting-Proxy-Backend-ID" not in request.headers:
            return await self._browser(request)
        if request.path == "/agent/pending":
            return web.json_response(await self._ids())
        pending = self._pending.get(request.headers["X-Inverting-Proxy-Request-ID"])
        if pending is None:
            return web.Response(status=404)
        return await (self._post(request, pending) if request.method == "POST" else self._get(request, pending))

    async def _browser(self, request: web.BaseRequest) -> web.StreamResponse:
        request_id, pending = secrets.token_hex(16), Pending(request)
        self._pending[request_id] = pending
        self._waiting.put_nowait(request_id)
        try:
            first, headers = await pending.answer.get()
            _, status, reason = first.split(" ", 2)
            kept = CIMultiDict(pair for pair in headers if pair[0].lower() not in HOP_BY_HOP)
            response = web.StreamResponse(status=int(status), reason=reason, headers=kept)
            await response.prepare(request)
            while piece := await pending.body.get():
                await response.write(piece)
            if piece is None:
                assert request.transport is not None
                request.transport.abort()
            return response
        finally:
            del self._pending[request_id]

    async def _ids(self) -> list[str] | None:
        try:
            ids = [await asyncio.wait_for(self._waiting.get(), 30)]
        except TimeoutError:
            return None  # Go's empty slice is null
        while not self._waiting.empty():
            ids.append(self._waiting.get_nowait())
        return ids

    async def _get(self, request: web.BaseRequest, pending: Pending) -> web.StreamResponse:
        asked = pending.request
        pairs = list(asked.headers.items())
        response = web.StreamResponse(
            headers={"X-Inverting-Proxy-Request-Start-Time": "2026-01-01T00:00:00.123456789Z"}
        )
        await response.prepare(request)
        first = f"{asked.method} {asked.raw_path} HTTP/1.1"
        if has_body(pairs):
            async for piece in chunked(first, pairs, asked.content.iter_any()):
                await response.write(piece)
        else:
            lines = [first, *(f"{name}: {value}" for name, value in pairs if name.lower() not in HOP_BY_HOP)]
            await response.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        return response

    async def _post(self, request: web.BaseRequest, pending: Pending) -> web.Response:
        assert request.headers["Content-Type"] == "text/plain"
        first, headers = await read_head(request.content)
        await pending.answer.put((first, headers))
        last: bytes | None = None
        try:
            async for piece in read_body(request.content, headers):
                await self._put(pending, piece)
            last = b""
        finally:
            with contextlib.suppress(web.HTTPGone):
                await self._put(pending, last)
        return web.Response()

    async def _put(self, pending: Pending, piece: bytes | None) -> None:
        putting = asyncio.create_task(pending.body.put(piece))
        while not putting.done():
            await asyncio.wait({putting}, timeout=0.05)
            if pending not in self._pending.values() and not putting.done():
                putting.cancel()
                raise web.HTTPGone


@contextlib.asynccontextmanager
async def program(binary: Path, folder: Path, port: int) -> AsyncIterator[None]:
    """Google's own program."""
    with (folder / "google-server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(str(binary), f"--port={port}", stdout=log, stderr=log)
        try:
            async with aiohttp.ClientSession() as session:
                await _until_it_listens(session, port)
            yield
        finally:
            process.kill()
            await process.wait()


async def _until_it_listens(session: aiohttp.ClientSession, port: int) -> None:
    headers = {"X-Inverting-Proxy-Backend-ID": "none", "X-Inverting-Proxy-Request-ID": "none"}
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectorError):
                async with session.get(f"http://127.0.0.1:{port}/", headers=headers) as answer:
                    assert answer.status == 404
                    return
            await asyncio.sleep(0.02)
