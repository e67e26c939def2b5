"""What carries, and nothing else: the server's HTTP, the tunnel on a real WebSocket, the agent's forwarder.

Everybody is let in. The notebook is a function on raw bytes, so that it may answer anything; the browser is raw too.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from yarl import URL

from kupyterhub_agent.forward import Forwarder as AgentForwarder
from kupyterhub_agent.notebook import Location, Notebook, notebook_session
from kupyterhub_agent.visit import Handlers, Target
from kupyterhub_agent.visit import Visit as AgentVisit
from kupyterhub_proxy.forward import Forwarder, NotReached, head_of
from kupyterhub_proxy.http_server import HttpServer, refusal
from kupyterhub_proxy.limits import Limits
from kupyterhub_proxy.upgrade import upgrade
from kupyterhub_tunnel import rules
from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.dialling import CONNECT_PATH, PROTOCOL
from kupyterhub_tunnel.flow import Budget, Windows
from kupyterhub_tunnel.pipe import HEARTBEAT_SECONDS, WebSocketPipe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Answering = Callable[["Visit"], Awaitable[None]]

NAME = "ada-0123456789abcdef"


@dataclass
class Visit:
    """One connection that the agent made to the notebook: the request's head as it came, and both ways."""

    head: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def header(self, name: str) -> list[str]:
        pairs = [line.partition(": ") for line in self.head.split("\r\n")[1:]]
        return [value for key, _, value in pairs if key.lower() == name.lower()]

    async def answer(self, text: str) -> None:
        self.writer.write(text.encode())
        await self.writer.drain()


@dataclass
class RawBrowser:
    """A connection to the server on which anything may be said."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)
        await self.writer.drain()

    async def head(self) -> str:
        async with asyncio.timeout(5):
            return (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def rest(self) -> bytes:
        """All until the server closes."""
        async with asyncio.timeout(5):
            return await self.reader.read()


@dataclass
class Carried:
    """The running parts."""

    port: int
    visits: list[Visit] = field(default_factory=list)
    browsers: list[RawBrowser] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"{NAME}.localhost:{self.port}"

    @property
    def origin(self) -> str:
        return f"http://{self.host}"

    async def browser(self, said: str | bytes = "") -> RawBrowser:
        browser = RawBrowser(*await asyncio.open_connection("127.0.0.1", self.port))
        self.browsers.append(browser)
        if said:
            await browser.say(said)
        return browser

    async def get(self, target: str = "/", *headers: str) -> RawBrowser:
        return await self.browser("\r\n".join([f"GET {target} HTTP/1.1", f"Host: {self.host}", *headers, "", ""]))


@contextlib.asynccontextmanager
async def carrying(answering: Answering, limits: Limits = Limits()) -> AsyncIterator[Carried]:  # noqa: B008 - frozen
    async with (
        running_server(limits) as carried,
        running_notebook(answering, carried.visits) as backend,
        running_agent(carried, backend),
    ):
        try:
            yield carried
        finally:
            for browser in carried.browsers:
                browser.writer.close()


@contextlib.asynccontextmanager
async def running_server(limits: Limits) -> AsyncIterator[Carried]:
    forwarder, agent = Forwarder(limits), asyncio.get_running_loop().create_future()

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if (unfit := refusal(request)) is not None:
            return unfit
        if request.path == CONNECT_PATH:
            response, socket = await upgrade(request, {"Sec-WebSocket-Protocol": PROTOCOL}, HEARTBEAT_SECONDS)
            agent.set_result(Connection(WebSocketPipe(socket), Windows(Budget()), on_info=_ignore))
            await agent.result().run()
            return response
        head = head_of(request, NAME)
        if (reason := rules.refusal(head, carried.origin)) is not None:
            return web.Response(status=403, text=reason)
        try:
            return await forwarder.forward(request, head, await agent)
        except NotReached as error:
            return web.Response(status=503, text=str(error))

    runner = web.ServerRunner(HttpServer(handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    carried = Carried(runner.addresses[0][1])
    try:
        yield carried
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def running_notebook(answering: Answering, visits: list[Visit]) -> AsyncIterator[URL]:
    visiting: set[asyncio.Task[None] | None] = set()

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visiting.add(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
                visits.append(Visit(head.removesuffix("\r\n\r\n"), reader, writer))
                await answering(visits[-1])
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    try:
        yield URL(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        for task in visiting:
            assert task is not None
            task.cancel()
        await asyncio.gather(*(task for task in visiting if task), return_exceptions=True)


@contextlib.asynccontextmanager
async def running_agent(carried: Carried, backend: URL) -> AsyncIterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        token = Path(folder) / "token"
        token.write_text("a token")
        async with notebook_session() as session, aiohttp.ClientSession() as dialler:
            forwarder = AgentForwarder(Notebook(Location(backend, lambda: "t"), session), carried.origin)
            url = URL(f"http://127.0.0.1:{carried.port}")
            visit = await AgentVisit.open(dialler, Target(url, url), token, Handlers(forwarder.serve_stream, _ignore))
            running = asyncio.create_task(visit.run())
            try:
                yield
            finally:
                await visit.end()
                await asyncio.wait({running})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def _ignore(_: dict[str, Any]) -> None:
    pass
