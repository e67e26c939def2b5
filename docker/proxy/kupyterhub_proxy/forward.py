"""Carries a browser's request over an agent's connection, and the answer back. Both bodies stream."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from aiohttp import ClientError, web
from multidict import CIMultiDict

from kupyterhub_tunnel import rules
from kupyterhub_tunnel.errors import TunnelError
from kupyterhub_tunnel.heads import RequestHead
from kupyterhub_tunnel.messages import MAX_MESSAGE_BYTES
from kupyterhub_tunnel.relay import CLOSE_SECONDS, relay

if TYPE_CHECKING:
    from kupyterhub_tunnel.carrier import Carrier, Channel
    from kupyterhub_tunnel.heads import AnswerHead

BROWSER_HEARTBEAT_SECONDS = 30.0


class NotReached(Exception):
    """The notebook gave no answer, so another may still be given."""


def head_of(request: web.BaseRequest, name: str) -> RequestHead:
    """Describe a request to the host of this name as the tunnel does, with nothing removed yet."""
    websocket = "websocket" in request.headers.get("Upgrade", "").lower()
    return RequestHead(
        method=request.method,
        target=request.raw_path,
        headers=tuple(request.headers.items()),
        client=request.remote or "",
        websocket=websocket,
        has_body=request.body_exists and not websocket,
        name=name,
    )


def cleaned(head: RequestHead) -> RequestHead:
    """Give the head that may leave the server. Offers of subprotocols are kept for the agent to make."""
    offers = tuple((name, value) for name, value in head.headers if name.lower() == "sec-websocket-protocol")
    # The agent checks Origin and Sec-Fetch-* again, so they stay.
    return RequestHead(
        method=head.method,
        target=rules.request_target(head.target),
        headers=rules.request_headers(head.headers) + offers,
        client=head.client,
        websocket=head.websocket,
        has_body=head.has_body,
        name=head.name,
    )


async def forward(request: web.BaseRequest, head: RequestHead, carrier: Carrier) -> web.StreamResponse:
    """Answer a request by an agent; raises NotReached while nothing has been answered.

    Is cancelled when the browser goes away, and then gives up the request at the notebook too.
    """
    try:
        channel = await carrier.open(cleaned(head))
    except TunnelError as error:
        raise NotReached(str(error)) from error
    upload = asyncio.create_task(_upload(request, head, channel))
    try:
        try:
            answer = await channel.head()
        except TunnelError as error:
            raise NotReached(str(error)) from error
        if head.websocket and answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
            return await _websocket(request, answer, channel)
        return await _answer(request, answer, channel)
    finally:
        upload.cancel()
        await asyncio.wait({upload})
        with contextlib.suppress(TunnelError):
            await channel.release()


async def _upload(request: web.BaseRequest, head: RequestHead, channel: Channel) -> None:
    if head.websocket:
        return  # the relay sends
    # A notebook that refuses an upload answers before its end; what is not taken then is no error.
    with contextlib.suppress(TunnelError):
        try:
            if head.has_body:
                async for chunk in request.content.iter_any():
                    await channel.write(chunk)
            await channel.end()
        except (ClientError, web.RequestPayloadError, OSError):
            await channel.reset("the browser broke off its upload")


async def _answer(request: web.BaseRequest, answer: AnswerHead, channel: Channel) -> web.StreamResponse:
    response = web.StreamResponse(
        status=answer.status,
        reason=answer.reason or None,
        headers=CIMultiDict(rules.answer_headers(answer.headers)),
    )
    await response.prepare(request)
    try:
        async for chunk in channel.chunks():
            await response.write(chunk)
    except TunnelError:
        # A proper end would make half a download look whole.
        if request.transport is not None:
            request.transport.close()
    return response


async def _websocket(request: web.BaseRequest, answer: AnswerHead, channel: Channel) -> web.StreamResponse:
    socket = web.WebSocketResponse[Literal[False]](
        decode_text=False,
        protocols=(answer.subprotocol,) if answer.subprotocol else (),
        heartbeat=BROWSER_HEARTBEAT_SECONDS,
        max_msg_size=MAX_MESSAGE_BYTES,
        timeout=CLOSE_SECONDS,
        compress=False,
    )
    await socket.prepare(request)
    relaying = asyncio.create_task(relay(socket, channel))
    try:
        await asyncio.shield(relaying)
    except asyncio.CancelledError:
        # A browser drops its connection right after its WebSocket's close: that close is still to be delivered.
        await asyncio.wait({relaying}, timeout=2 * CLOSE_SECONDS)
        raise
    finally:
        relaying.cancel()
    return socket
