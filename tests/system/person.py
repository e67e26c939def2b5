"""A person's browser without a window: one notebook, over the proxy, with cookies of its own."""

import json
from asyncio import timeout
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

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

    async def start_kernel(self) -> str:
        """Start a Python, and return the kernel's id."""
        return str((await self._send("POST", "/api/kernels", {"name": "python3"}))["id"])

    async def run(self, kernel: str, code: str) -> str:
        """Run code in a kernel, over its WebSocket, and return what it printed.

        https://jupyter-client.readthedocs.io/en/stable/messaging.html
        """
        asked = {"msg_id": uuid4().hex, "session": uuid4().hex, "username": "", "msg_type": "execute_request"}
        message = {
            "channel": "shell",
            "header": {**asked, "version": "5.4", "date": datetime.now(UTC).isoformat()},
            "parent_header": {},
            "metadata": {},
            "content": {"code": code, "silent": False, "store_history": True, "allow_stdin": False},
        }
        url = URL(self.url).join(URL(f"/api/kernels/{kernel}/channels"))
        printed = ""
        async with timeout(60), self._session.ws_connect(url, headers=self._headers) as socket:
            await socket.send_json(message)
            async for received in socket:
                answer = json.loads(received.data)
                if answer["parent_header"].get("msg_id") != asked["msg_id"]:
                    continue
                if answer["msg_type"] == "stream":
                    printed += answer["content"]["text"]
                if answer["content"].get("execution_state") == "idle":
                    return printed.strip()
        raise AssertionError("the kernel's WebSocket was closed")

    @property
    def _headers(self) -> dict[str, str]:
        parts = urlsplit(self.url)
        return {"Origin": f"{parts.scheme}://{parts.netloc}"}

    async def _send(self, method: str, path: str, body: Any) -> Any:
        url = URL(self.url).join(URL(path))
        async with self._session.request(method, url, json=body, headers=self._headers) as answer:
            assert answer.status in {200, 201}, await answer.text()
            return await answer.json()
