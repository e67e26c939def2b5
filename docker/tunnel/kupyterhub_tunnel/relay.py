"""A WebSocket of the browser's or the notebook's, joined to a stream: the same on both ends."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Literal, NamedTuple

from aiohttp import ClientConnectionResetError, WSCloseCode, WSMsgType

from kupyterhub_tunnel.errors import TunnelError
from kupyterhub_tunnel.messages import Message, MessageReader, Type

if TYPE_CHECKING:
    from aiohttp import ClientWebSocketResponse, web

    from kupyterhub_tunnel.carrier import Channel

    # Made with `decode_text=False`: text passes as bytes, so a large message is held once and not three times.
    WebSocket = ClientWebSocketResponse[Literal[False]] | web.WebSocketResponse[Literal[False]]

CLOSE_SECONDS = 5.0
_LOST = WSCloseCode.INTERNAL_ERROR


class Close(NamedTuple):
    """How a WebSocket was closed."""

    code: int
    reason: str


async def relay(socket: WebSocket, stream: Channel) -> None:
    """Carry messages both ways until one side closes; tell the other side the same code and reason.

    Raises nothing of the tunnel's: a tunnel that ends closes the WebSocket with 1011.
    """
    outgoing = asyncio.create_task(_from_socket(socket, stream))
    incoming = asyncio.create_task(_to_socket(stream, socket))
    try:
        await asyncio.wait({outgoing, incoming}, return_when=asyncio.FIRST_COMPLETED)
        if incoming.done():
            await _stop(outgoing)
            code, reason = incoming.result()
            await _close(socket, Close(code, reason))
            await stream.end()
        else:
            await _stop(incoming)
            code, reason = outgoing.result()
            message = Message.close(code, reason)
            await stream.write(message.header() + message.content)
            await stream.end()
            await _until_end(stream)
    except (TunnelError, ClientConnectionResetError, ConnectionResetError):
        await _close(socket, Close(_LOST, ""))
    finally:
        await _stop(outgoing)
        await _stop(incoming)
        await _close(socket, Close(WSCloseCode.GOING_AWAY, ""))


async def _from_socket(socket: WebSocket, stream: Channel) -> Close:
    while True:
        received = await socket.receive()
        match received.type:
            case WSMsgType.TEXT:
                message = Message(Type.TEXT, received.data)
            case WSMsgType.BINARY:
                message = Message(Type.BINARY, received.data)
            case WSMsgType.CLOSE:
                return Close(_sendable(received.data), str(received.extra or ""))
            case _:
                return Close(_sendable(socket.close_code), "")
        await stream.write(message.header())
        await stream.write(message.content)


async def _to_socket(stream: Channel, socket: WebSocket) -> Close:
    reader = MessageReader(stream)
    while (message := await reader.read()) is not None:
        match message.type:
            case Type.TEXT:
                # As it came; whoever shows the text checks that it is UTF-8.
                await socket.send_frame(message.content, WSMsgType.TEXT)
            case Type.BINARY:
                await socket.send_bytes(message.content)
            case Type.CLOSE:
                return Close(*message.close_code())
    return Close(_LOST, "")


async def _close(socket: WebSocket, close: Close) -> None:
    """Close it unless it is closed. aiohttp would wait for the peer's answer as long as other messages come."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code=close.code, message=close.reason.encode()[:123])


def _sendable(code: int | None) -> int:
    """Replace the codes that stand for no code (0, 1005) and for no close (1006): they cannot be sent."""
    if not code or code == 1005:  # noqa: PLR2004 - RFC 6455, 7.4.1
        return WSCloseCode.OK
    return WSCloseCode.GOING_AWAY if code == WSCloseCode.ABNORMAL_CLOSURE else code


async def _until_end(stream: Channel) -> None:
    # The peer closes its WebSocket now. Letting go of the stream before it has would cut that short.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            while await stream.read():
                pass


async def _stop(task: asyncio.Task[Close]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen; the one that finished first decides
