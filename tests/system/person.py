"""A person's browser without a window: one notebook, over the proxy, with cookies of its own."""

from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from yarl import URL

from cluster.proxy.harness import Loopback


class Person:
    """Signed in on the host of a notebook's URL as `email`. Use it with `async with`."""

    def __init__(self, url: str, email: str) -> None:
        self.url = url
        self.email = email
        # Every name is on this machine, as in browsers for *.localhost; other programs often do not know that.
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Loopback()))

    async def __aenter__(self) -> Self:
        async with self._session.get(self.url, headers={"Accept": "text/html"}) as asked:
            assert asked.url.host == "login.localhost", asked.url
            wanted, origin = dict(parse_qsl(asked.url.query_string)), str(asked.url.origin())
        form = {**wanted, "email": self.email}
        async with self._session.post(f"{origin}/sign-in", data=form, headers={"Origin": origin}):
            return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def status(self) -> int:
        """Return what the URL answers."""
        async with self._session.get(self.url, headers={"Accept": "text/html"}) as answer:
            return answer.status

    async def write(self, path: str, text: str) -> None:
        """Write a file beside the notebooks."""
        await self._send("PUT", f"/api/contents/{path}", {"type": "file", "format": "text", "content": text})

    async def read(self, path: str) -> str:
        """Read a file beside the notebooks."""
        async with self._session.get(URL(self.url) / "files" / path) as answer:
            answer.raise_for_status()
            return await answer.text()

    async def start_kernel(self) -> None:
        """Start a Python."""
        await self._send("POST", "/api/kernels", {"name": "python3"})

    async def _send(self, method: str, path: str, body: Any) -> None:
        parts = urlsplit(self.url)
        headers = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        async with self._session.request(method, URL(self.url).join(URL(path)), json=body, headers=headers) as answer:
            assert answer.status in {200, 201}, await answer.text()
