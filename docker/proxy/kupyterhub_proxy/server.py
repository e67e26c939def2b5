"""The front: which host is asked decides who answers."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from kupyterhub_proxy.hosts import Place
from kupyterhub_proxy.http_server import HttpServer, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_proxy.agents import AgentsHost
    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.login import LoginHost
    from kupyterhub_proxy.settings import Address, Settings
    from kupyterhub_proxy.users import UserHosts

_DRAIN_SECONDS = 10.0
"""With _STOP_SECONDS within Kubernetes' 30 s between SIGTERM and SIGKILL."""
_STOP_SECONDS = 3.0
_HTTPS_SECONDS = 365 * 24 * 60 * 60


class Front:
    """Hands each request to its host; an unknown host gets 421."""

    def __init__(self, hosts: Hosts, login: LoginHost, agents: AgentsHost, users: UserHosts) -> None:
        self._hosts = hosts
        self._login = login
        self._agents = agents
        self._users = users
        self._requests = 0
        self._ended = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request; what is not a notebook's says that this host is https alone from now on."""
        response = await self._answer(request)
        if self._hosts.scheme == "https" and not response.prepared:
            response.headers["Strict-Transport-Security"] = f"max-age={_HTTPS_SECONDS}"
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        unfit = refusal(request)
        if unfit is not None:
            return unfit
        named = request.headers.getall("Host", [])
        match self._hosts.place(named[0]) if len(named) == 1 else Place.UNKNOWN:
            case Place.LOGIN:
                return await self._login.handle(request)
            case Place.AGENTS:
                return await self._agents.handle(request)
            case Place.UNKNOWN:
                return web.Response(status=421, text="no such host here\n")
            case str(name) if named[0].partition(":")[0].endswith("."):
                # To a browser a name with the dot at its end is another host, with cookies of its own.
                return web.Response(status=308, headers={"Location": f"{self._hosts.user(name)}{request.raw_path}"})
            case str(name):
                return await self._of_user(request, name)

    async def _of_user(self, request: web.BaseRequest, name: str) -> web.StreamResponse:
        if "Upgrade" in request.headers:
            return await self._users.handle(request, name)
        self._requests += 1
        try:
            return await self._users.handle(request, name)
        finally:
            self._requests -= 1
            self._ended.set()

    async def drain(self, timeout_seconds: float) -> None:
        """Wait for the requests of users that are under way, at most this long; WebSockets do not end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                while self._requests:
                    self._ended.clear()
                    await self._ended.wait()

    async def stop(self) -> None:
        """Let go of the agents."""
        await self._agents.stop()


@asynccontextmanager
async def serving(front: Front, settings: Settings) -> AsyncIterator[None]:
    """Serve people and agents meanwhile; then nobody new, and let end what is under way."""
    server = HttpServer(front.handle)
    runner = web.ServerRunner(server, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        site = _site(runner, settings.listen, _tls(settings))
        await site.start()
        yield
        await site.stop()
        await front.drain(_DRAIN_SECONDS)
    finally:
        await front.stop()
        await runner.cleanup()


@asynccontextmanager
async def serving_health(address: Address) -> AsyncIterator[None]:
    """Serve /healthz and /readyz on a port of their own: no Host is asked for there."""

    async def well(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    app = web.Application()
    app.add_routes([web.get("/healthz", well), web.get("/readyz", well)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await _site(runner, address, None).start()
        yield
    finally:
        await runner.cleanup()


def _site(runner: web.BaseRunner, address: Address, tls: ssl.SSLContext | None) -> web.TCPSite:
    return web.TCPSite(runner, address.host, address.port, ssl_context=tls)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls.certificate, settings.tls.key)
    return context
