"""`python -m bench.idle_notebooks <address> <port>`: answers what an agent asks of a JupyterLab that nobody uses."""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

STARTED = "2026-01-01T00:00:00.000000Z"


async def status(_: web.Request) -> web.Response:
    return web.json_response({"started": STARTED, "last_activity": STARTED, "connections": 0, "kernels": 0})


async def nothing(_: web.Request) -> web.Response:
    return web.json_response([])


async def serve(address: str, port: int) -> None:
    app = web.Application()
    app.add_routes(
        [
            web.get("/api/status", status),
            web.get("/api/kernels", nothing),
            web.get("/api/terminals", nothing),
        ]
    )
    # JupyterLab keeps an idle connection for an hour.
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=3600)
    await runner.setup()
    await web.TCPSite(runner, address, port, backlog=2048).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
