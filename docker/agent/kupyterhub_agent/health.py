"""The agent's health, for the kubelet's probes, on a port of its own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PORT = 8081


@asynccontextmanager
async def serving_health(is_ready: Callable[[], bool], host: str) -> AsyncIterator[None]:
    """Serve /healthz (the process lives) and /readyz (people's requests can arrive) meanwhile."""

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        if is_ready():
            return web.Response(text="ok\n")
        return web.Response(status=503, text="not connected to the proxy yet, or JupyterLab was not looked for yet\n")

    app = web.Application()
    app.add_routes([web.get("/healthz", alive), web.get("/readyz", ready)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, PORT).start()
        yield
    finally:
        await runner.cleanup()
