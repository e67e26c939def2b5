"""What carries frames: a WebSocket of aiohttp's, or a twin in tests."""

from __future__ import annotations

from typing import Protocol

from aiohttp import ClientConnectionResetError, ClientWebSocketResponse, WSCloseCode, WSMsgType, web

from kupyterhub_tunnel.errors import ConnectionLost, ProtocolError

HEARTBEAT_SECONDS = 20.0
"""Both sides ping this often, so that a peer that vanished without a word is noticed."""


class Pipe(Protocol):
    """An ordered, reliable carrier of messages in both directions."""

    async def send(self, message: bytes) -> None:
        """Send one message; waits while the peer is slow; raises ConnectionLost."""

    async def receive(self) -> bytes | None:
        """Give the next message, or None once the connection has ended."""

    async def close(self) -> None:
        """End the connection; harmless when it has ended."""


class WebSocketPipe:
    """A Pipe over either end of an aiohttp WebSocket."""

    def __init__(self, socket: ClientWebSocketResponse[bool] | web.WebSocketResponse[bool]) -> None:
        self._socket = socket

    async def send(self, message: bytes) -> None:
        """Send one message; waits while the transport's buffer is full."""
        try:
            await self._socket.send_bytes(message)
        except (ClientConnectionResetError, ConnectionResetError) as error:
            raise ConnectionLost("the connection between agent and server was lost") from error

    async def receive(self) -> bytes | None:
        """Give the next message; None after a close or an error of the WebSocket."""
        message = await self._socket.receive()
        match message.type:
            case WSMsgType.BINARY:
                data: bytes = message.data
                return data
            case WSMsgType.TEXT:
                raise ProtocolError("this protocol has binary messages only")
            case _:
                return None

    async def close(self) -> None:
        """Say goodbye."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY)
