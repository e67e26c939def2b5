"""google/inverting-proxy's agent: a stand-in that does what its protocol says, and the program itself."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

import aiohttp

from cluster.interop.raw_http import HOP_BY_HOP, chunked, has_body, read_body, read_head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_NANOSECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z")


class StandInAgent:
    """Polls `proxy` (which ends in a slash) and forwards to `target`. Every answer is chunked, to HEAD too."""

    def __init__(self, proxy: str, backend_id: str, target: str, vm_token: str) -> None:
        self._proxy = proxy
        self._target = target
        self._headers = {
            "X-Inverting-Proxy-Backend-ID": backend_id,
            "X-Inverting-Proxy-VM-ID": vm_token,
            "Authorization": "Bearer ya29.twin",
        }
        self._seen: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[int] = []

    async def run(self) -> None:
        async with aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0),
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        ) as session:
            try:
                await self._poll(session)
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _poll(self, session: aiohttp.ClientSession) -> None:
        while True:
            async with session.get(f"{self._proxy}agent/pending", headers=self._headers) as answer:
                if answer.status != 200:
                    self.failures.append(answer.status)
                    await asyncio.sleep(0.05)
                    continue
                ids = await answer.json(content_type=None)
            assert len(ids) <= 100
            for request_id in set(ids) - self._seen:
                self._seen.add(request_id)
                task = asyncio.create_task(self._forward(session, request_id))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _forward(self, session: aiohttp.ClientSession, request_id: str) -> None:
        headers = {**self._headers, "X-Inverting-Proxy-Request-ID": request_id}
        with contextlib.suppress(aiohttp.ClientError, ConnectionError, asyncio.IncompleteReadError):
            async with session.get(f"{self._proxy}agent/request", headers=headers) as carried:
                if carried.status != 200:
                    self.failures.append(carried.status)
                    return
                assert _NANOSECONDS.fullmatch(carried.headers["X-Inverting-Proxy-Request-Start-Time"])
                first, asked = await read_head(carried.content)
                method, target, version = first.split(" ")
                assert version == "HTTP/1.1"
                async with session.request(
                    method,
                    f"{self._target}{target}",
                    headers=[pair for pair in asked if pair[0].lower() not in HOP_BY_HOP],
                    data=read_body(carried.content, asked) if has_body(asked) else None,
                    allow_redirects=False,
                ) as answer:
                    line = f"HTTP/1.1 {answer.status} {answer.reason}"
                    body = chunked(line, list(answer.headers.items()), answer.content.iter_any())
                    posted = {**headers, "Content-Type": "text/plain"}
                    async with session.post(f"{self._proxy}agent/response", headers=posted, data=body) as taken:
                        if taken.status != 200:
                            self.failures.append(taken.status)


@contextlib.asynccontextmanager
async def program(
    binary: Path, folder: Path, *, proxy: str, backend_id: str, target: str, metadata: str
) -> AsyncIterator[None]:
    """Google's own program on a machine whose metadata server is `metadata` (host:port)."""
    with (folder / "google-agent.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(binary),
            f"-proxy={proxy}",
            f"-backend={backend_id}",
            f"-host={target.removeprefix('http://')}",
            "-request-forwarding-timeout=10m",
            env={"HOME": str(folder), "PATH": "", "GCE_METADATA_HOST": metadata},
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.kill()
            await process.wait()
