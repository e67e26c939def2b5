"""Turns a request into a WebSocket: the server's half of the handshake of RFC 6455."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from aiohttp import web

from kupyterhub_proxy.http_server import has_sent_more
from kupyterhub_tunnel.websocket import WebSocket
from kupyterhub_tunnel.websocket_frames import KEY_BYTES, VERSION, accept_key

if TYPE_CHECKING:
    from collections.abc import Mapping


def wants_websocket(request: web.BaseRequest) -> bool:
    """Whether it asks for a WebSocket."""
    upgrade = request.headers.get("Upgrade")
    if upgrade is None or request.method != "GET":
        return False
    return upgrade.lower() == "websocket" and "upgrade" in request.headers.get("Connection", "").lower()


def unfit(request: web.BaseRequest) -> web.Response | None:
    """Refuse what is not the whole of a handshake."""
    if not wants_websocket(request):
        return web.Response(status=426, text="a WebSocket, please\n", headers={"Upgrade": "websocket"})
    if request.headers.get("Sec-WebSocket-Version") != VERSION:
        return web.Response(
            status=400, text=f"WebSockets are of version {VERSION}\n", headers={"Sec-WebSocket-Version": VERSION}
        )
    if not _is_key(request.headers.get("Sec-WebSocket-Key", "")):
        return web.Response(status=400, text="a WebSocket's key has 16 bytes\n")
    if has_sent_more(request):
        response = web.Response(status=400, text="a WebSocket's client waits for the answer\n")
        response.force_close()
        return response
    return None


async def upgrade(
    request: web.BaseRequest, headers: Mapping[str, str], heartbeat_seconds: float
) -> tuple[web.StreamResponse, WebSocket]:
    """Accept a request that is fit, and give what the handler returns once it is done with the WebSocket."""
    response = web.StreamResponse(status=101, headers=headers)
    response.headers.update(
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept_key(request.headers["Sec-WebSocket-Key"]),
        }
    )
    response.force_close()
    await response.prepare(request)
    await response.write(b"")  # the head
    if request.transport is None:
        raise ConnectionResetError("the client has gone")
    return response, WebSocket(request.transport, client=False, heartbeat_seconds=heartbeat_seconds)


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False
