"""Four pairs of agent and server that are not of one maker, each with the same notebook's stand-in behind it.

The pairs with Google's own programs are made where KUPYTERHUB_INVERTING_PROXY names a folder that holds them
(`proxy-forwarding-agent` and `inverting-proxy`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from cluster.interop import google_agent, google_server
from cluster.proxy.backend import CANCELLED, backend_app
from cluster.proxy.harness import free_port
from kupyterhub_agent.forward import Forwarder as AgentForwarder
from kupyterhub_agent.hosted.backend import Backend
from kupyterhub_agent.hosted.credentials import Credentials
from kupyterhub_agent.hosted.metadata import MetadataServer as MetadataClient
from kupyterhub_agent.hosted.polling import Poller
from kupyterhub_agent.hosted.registration import Registration
from kupyterhub_agent.notebook import Location, Notebook, notebook_session
from kupyterhub_proxy.certificates import Certificates
from kupyterhub_proxy.forward import Forwarder, NotReached, head_of
from kupyterhub_proxy.hosts import Hosts
from kupyterhub_proxy.http_server import HttpServer
from kupyterhub_proxy.polling.allowed import Allowed
from kupyterhub_proxy.polling.host import METHODS, PollingHost
from kupyterhub_proxy.polling.vm_identity import VmVerifier
from kupyterhub_proxy.registry import Registry
from kupyterhub_tunnel import rules
from twins.google_vm import SERVICE_ACCOUNT, MetadataServer, google_keys

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ADA, EVE = "ada-0123456789abcdef", "eve-0123456789abcdef"
EVES_ACCOUNT = "eve@project.iam.gserviceaccount.com"
AGENT, SERVER = "proxy-forwarding-agent", "inverting-proxy"

PROGRAMS = os.environ.get("KUPYTERHUB_INVERTING_PROXY", "")
FRONTS = ["stand-in agent", "stand-in server", *(["Google's agent", "Google's server"] if PROGRAMS else [])]


@dataclass
class Front:
    """What a browser sees of a pair."""

    url: str
    origin: str
    session: aiohttp.ClientSession
    cancelled: asyncio.Event
    """Set when a request to the notebook's /forever has ended."""

    def request(self, method: str, target: str, **more: Any) -> Any:
        headers = {**({} if method in {"GET", "HEAD"} else {"Origin": self.origin}), **more.pop("headers", {})}
        url = URL(f"{self.url}{target}", encoded=True)
        return self.session.request(method, url, headers=headers, allow_redirects=False, **more)


class OurServer:
    """Our server as far as it matters here: whoever asks is let in, and there is one user."""

    def __init__(self, port: int, certificates: str) -> None:
        self.hosts = Hosts("http", f"localhost:{port}")
        self.registry = Registry()
        allowed = Allowed({SERVICE_ACCOUNT: frozenset({ADA}), EVES_ACCOUNT: frozenset({EVE})})
        verifier = VmVerifier(Certificates(certificates), f"http://127.0.0.1:{port}/")
        self.polling = PollingHost(self.hosts, verifier, allowed, self.registry)
        self._forwarder = Forwarder()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path in METHODS:
            return await self.polling.handle(request)
        head = head_of(request, ADA)
        agent = self.registry.serving(ADA)
        if rules.refusal(head, self.hosts.user(ADA)) is not None:
            return web.Response(status=403)
        if agent is None:
            return web.Response(status=503)
        try:
            return await self._forwarder.forward(request, head, agent.carrier)
        except NotReached:
            return web.Response(status=503)


@contextlib.asynccontextmanager
async def listening(handler: Any, port: int = 0) -> AsyncIterator[str]:
    """Serve on loopback; gives host:port."""
    runner = web.ServerRunner(HttpServer(handler), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield "{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def running(task: asyncio.Task[Any]) -> AsyncIterator[None]:
    try:
        yield
    finally:
        assert not task.done(), task.exception()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@web.middleware
async def any_status(request: web.Request, handler: Any) -> web.StreamResponse:
    """Answer /status/<code> with that status."""
    _, _, code = request.path.partition("/status/")
    if not code:
        return await handler(request)
    return web.Response(status=int(code), text=None if code in {"204", "304"} else "as you wish")


@pytest.fixture
async def notebook() -> AsyncIterator[TestServer]:
    """A JupyterLab that asks nobody for a token."""
    app = backend_app()
    app.middlewares.append(any_status)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)
    yield server
    await server.close()


@pytest.fixture
async def our_server() -> AsyncIterator[OurServer]:
    port = free_port()
    async with listening(google_keys().serve) as google:
        server = OurServer(port, f"http://{google}/oauth2/v1/certs")
        async with listening(server.handle, port):
            yield server
            await server.polling.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=0)
    ) as client:
        yield client


@pytest.fixture(params=FRONTS)
async def front(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    notebook: TestServer,
    our_server: OurServer,
    session: aiohttp.ClientSession,
) -> AsyncIterator[Front]:
    async with contextlib.AsyncExitStack() as stack:
        metadata = await stack.enter_async_context(listening(MetadataServer(google_keys()).serve))
        target = str(notebook.make_url("")).rstrip("/")
        if request.param.endswith("agent"):
            url, origin = f"http://127.0.0.1:{our_server.hosts.domain.rpartition(':')[2]}", our_server.hosts.user(ADA)
            if request.param == "Google's agent":
                agent = google_agent.program(
                    Path(PROGRAMS) / AGENT,
                    tmp_path,
                    proxy=f"{url}/",
                    backend_id=ADA,
                    target=target,
                    metadata=metadata,
                )
            else:
                stand_in = google_agent.StandInAgent(f"{url}/", ADA, target, google_keys().token(f"{url}/"))
                agent = running(asyncio.create_task(stand_in.run()))
            await stack.enter_async_context(agent)
        else:
            port = free_port()
            url = origin = f"http://127.0.0.1:{port}"
            if request.param == "Google's server":
                server = google_server.program(Path(PROGRAMS) / SERVER, tmp_path, port)
            else:
                server = listening(google_server.StandInServer().handle, port)
            await stack.enter_async_context(server)
            await stack.enter_async_context(our_agent(url, target, metadata))
        front = Front(url, origin, session, notebook.app[CANCELLED])
        await until_there(front)
        yield front


@contextlib.asynccontextmanager
async def our_agent(url: str, target: str, metadata: str) -> AsyncIterator[None]:
    """Our agent's polling at a proxy that knows no registration."""
    async with notebook_session() as notebooks, aiohttp.ClientSession() as polls:
        forwarder = AgentForwarder(Notebook(Location(URL(target), lambda: "t"), notebooks), url)
        poller = Poller(ADA, forwarder.serve)
        credentials = Credentials(MetadataClient(polls, metadata))
        backend = Backend(polls, credentials, Registration(url, url.removeprefix("http://"), ADA))
        async with running(asyncio.create_task(poller.poll(backend, lambda: None))):
            yield
        await poller.close()


async def until_there(front: Front) -> None:
    async with asyncio.timeout(10):
        while True:
            async with front.request("GET", "/api") as answer:
                if answer.status == 200:
                    return
            await asyncio.sleep(0.05)
