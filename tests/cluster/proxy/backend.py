"""A stand-in for JupyterLab that shows what arrives and answers in ways that JupyterLab rarely does."""

from __future__ import annotations

import asyncio
import gzip
import hashlib

from aiohttp import WSMsgType, web

GZIPPED = gzip.compress(b"hello" * 100)
CANCELLED = web.AppKey("cancelled", asyncio.Event)
MIB = 1024 * 1024


async def api(_: web.Request) -> web.Response:
    return web.json_response({"version": "2"})


async def status(_: web.Request) -> web.Response:
    return web.json_response({"last_activity": "2026-01-01T00:00:00.000000Z"})


async def kernels(_: web.Request) -> web.Response:
    return web.json_response([])


async def show(request: web.Request) -> web.Response:
    return web.json_response(
        {
            "method": request.method,
            "target": request.raw_path,
            "headers": [list(pair) for pair in request.headers.items()],
            "body": (await request.read()).decode(),
        }
    )


async def spoofing(_: web.Request) -> web.Response:
    response = web.Response(text="ok")
    response.headers.extend(
        [
            ("Set-Cookie", "a=1; Domain=localhost; Path=/"),
            ("Set-Cookie", "__Host-b=1; Secure; Path=/"),
            ("Set-Cookie", "kupyterhub-session=stolen"),
            ("Set-Cookie", "c=3"),
            ("Access-Control-Allow-Origin", "*"),
        ]
    )
    return response


async def gzipped(_: web.Request) -> web.Response:
    return web.Response(body=GZIPPED, headers={"Content-Encoding": "gzip", "Content-Type": "text/html"})


async def html(_: web.Request) -> web.Response:
    return web.Response(text="<head></head><body>hello</body>", content_type="text/html")


async def upload(request: web.Request) -> web.Response:
    digest, size = hashlib.sha256(), 0
    async for chunk in request.content.iter_any():
        digest.update(chunk)
        size += len(chunk)
    return web.json_response({"size": size, "sha256": digest.hexdigest()})


async def refuse_upload(_: web.Request) -> web.Response:
    return web.Response(status=413, text="too large")


async def download(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(int(request.query["mib"])):
        await response.write(b"x" * MIB)
    return response


async def broken(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    await asyncio.sleep(0.05)
    assert request.transport is not None
    request.transport.abort()
    return response


async def forever(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"tick\n")
            await asyncio.sleep(0.05)
    finally:
        request.app[CANCELLED].set()


async def slow(_: web.Request) -> web.Response:
    await asyncio.sleep(1)
    return web.Response(text="at last")


async def websocket(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(protocols=("v2", "v1"), max_msg_size=0)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT and message.data == "close":
            await socket.close(code=4321, message=b"as you wish")
        elif message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    request.app[CLOSED].append(socket.close_code)
    return socket


CLOSED = web.AppKey("closed", list)


def backend_app() -> web.Application:
    app = web.Application(client_max_size=0)
    app[CANCELLED] = asyncio.Event()
    app[CLOSED] = []
    app.add_routes(
        [
            web.get("/api", api),
            web.get("/api/status", status),
            web.get("/api/kernels", kernels),
            web.get("/spoofing", spoofing),
            web.get("/gzip", gzipped),
            web.get("/html", html),
            web.put("/upload", upload),
            web.put("/refuse", refuse_upload),
            web.get("/download", download),
            web.get("/broken", broken),
            web.get("/forever", forever),
            web.get("/slow", slow),
            web.get("/ws", websocket),
            web.route("*", "/{any:.*}", show),
        ]
    )
    return app
