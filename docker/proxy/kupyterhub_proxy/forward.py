"""Carries a browser's request to an agent, and the answer back, within limits. Both bodies stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from kupyterhub_proxy.answers import NotHttp, believed
from kupyterhub_proxy.limits import Limits
from kupyterhub_proxy.upgrade import unfit, upgrade, wants_websocket
from kupyterhub_proxy.upload import Patience, upload
from kupyterhub_tunnel import rules
from kupyterhub_tunnel.errors import TunnelError
from kupyterhub_tunnel.heads import RequestHead
from kupyterhub_tunnel.relay import CLOSE_SECONDS, relay
from kupyterhub_tunnel.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_tunnel.carrier import Carrier, Channel
    from kupyterhub_tunnel.heads import AnswerHead

BROWSER_HEARTBEAT_SECONDS = 30.0


class NotReached(Exception):
    """The notebook gave no answer, so another may still be given."""


def head_of(request: web.BaseRequest, name: str) -> RequestHead:
    """Describe a request to the host of this name as the tunnel does, with nothing removed yet."""
    headers = request.headers
    websocket = wants_websocket(request)
    return RequestHead(
        method=request.method,
        target=request.raw_path,
        headers=tuple(headers.items()),
        client=request.remote or "",
        websocket=websocket,
        has_body=request.body_exists and not websocket,
        name=name,
    )


def cleaned(head: RequestHead, user: str) -> RequestHead:
    """Give the head that may leave the server. Offers of subprotocols are kept for the agent to make."""
    headers = rules.request_headers(head.headers)
    if head.websocket:
        headers += tuple((name, value) for name, value in head.headers if name.lower() == "sec-websocket-protocol")
    # The agent checks Origin and Sec-Fetch-* again, so they stay.
    return replace(head, target=rules.request_target(head.target), headers=headers, user=user)


class Forwarder:
    """Carries the requests of all users, each within the same limits."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._limits = limits
        self._open: Counter[str] = Counter()
        self._together = 0

    async def forward(
        self,
        request: web.BaseRequest,
        head: RequestHead,
        carrier: Carrier,
        user: str = "",
        finish: Callable[[web.StreamResponse], None] = lambda _: None,
    ) -> web.StreamResponse:
        """Answer a request of this user's by an agent; raises NotReached while nothing has been answered.

        `finish` adds to the head of an answer what is not the notebook's.

        Is cancelled when the browser goes away, and then gives up the request at the notebook too.
        """
        if self._open[head.name] >= self._limits.requests:
            return _refused(429, f"{self._limits.requests} requests are open already", {"Retry-After": "1"})
        if self._together >= self._limits.together:
            return _refused(503, f"this server carries {self._together} requests already", {"Retry-After": "5"})
        if head.websocket and request.body_exists:
            return _refused(400, "a WebSocket's handshake has no body")
        if head.websocket and not carrier.websockets:
            return _refused(501, "the agent of this notebook carries no WebSockets")
        self._open[head.name] += 1
        self._together += 1
        try:
            return await self._carry(request, cleaned(head, user), carrier, finish)
        finally:
            self._together -= 1
            self._open[head.name] -= 1
            if not self._open[head.name]:
                del self._open[head.name]

    async def _carry(
        self,
        request: web.BaseRequest,
        head: RequestHead,
        carrier: Carrier,
        finish: Callable[[web.StreamResponse], None],
    ) -> web.StreamResponse:
        try:
            channel = await carrier.open(head)
        except TunnelError as error:
            raise NotReached(str(error)) from error
        patience = Patience(self._limits.first_byte_seconds)
        uploading = asyncio.create_task(upload(request, channel, patience.renew)) if head.has_body else None
        try:
            answer = await self._first(request, channel, patience)
            if answer is None:
                return _refused(504, f"the notebook gave no answer for {self._limits.first_byte_seconds:.0f} s")
            if isinstance(channel, Stream) and head.websocket and answer.status == HTTPStatus.SWITCHING_PROTOCOLS:
                return await _websocket(request, answer, channel)
            return await _answer(request, answer, channel, finish)
        except NotHttp as error:
            return _refused(502, f"the notebook's answer is no HTTP: {error}")
        finally:
            if uploading is not None:
                uploading.cancel()
                await asyncio.wait({uploading})
            with contextlib.suppress(TunnelError):
                await channel.release()

    async def _first(self, request: web.BaseRequest, channel: Channel, patience: Patience) -> AnswerHead | None:
        try:
            async with patience:
                while (head := await channel.head()).interim:
                    _hint(request, head)
                return head
        except TimeoutError:
            return None
        except TunnelError as error:
            raise NotReached(str(error)) from error


def _hint(request: web.BaseRequest, head: AnswerHead) -> None:
    """Pass on an interim answer; browsers of HTTP/1.0 know none."""
    if request.version < HttpVersion11 or request.transport is None:
        return
    with contextlib.suppress(NotHttp):
        hint = believed(head, HTTPStatus.CONTINUE, HTTPStatus.OK - 1)
        lines = [f"HTTP/1.1 {hint.status} {hint.reason or ''}", *map(": ".join, hint.headers)]
        request.transport.write("\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape"))


async def _answer(
    request: web.BaseRequest, head: AnswerHead, channel: Channel, finish: Callable[[web.StreamResponse], None]
) -> web.StreamResponse:
    answer = believed(head)
    headers = CIMultiDict(answer.headers)
    whole = channel.whole()
    if whole is not None and answer.has_body(request.method):
        if answer.length not in (None, len(whole)):
            raise NotHttp("it is longer or shorter than it says")
        # Head and body in one write: most answers are small.
        small = web.Response(status=answer.status, reason=answer.reason, headers=headers, body=whole)
        finish(small)
        return small
    response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=headers)
    response.content_length = answer.length
    finish(response)
    await response.prepare(request)
    if answer.has_body(request.method) and not await _body(response, answer.length, channel):
        # A proper end would make half a download look whole, or what is left over another answer.
        response.force_close()
        if request.transport is not None:
            request.transport.close()
    return response


async def _body(response: web.StreamResponse, length: int | None, channel: Channel) -> bool:
    """Write the body; False if it breaks off, or is not as long as was said."""
    written = 0
    try:
        while chunk := await channel.read():
            written += len(chunk)
            if length is not None and written > length:
                return False
            await response.write(chunk)
    except TunnelError:
        return False
    return length in (None, written)


async def _websocket(request: web.BaseRequest, answer: AnswerHead, stream: Stream) -> web.StreamResponse:
    refused = unfit(request)
    if refused is not None:
        return refused
    headers = {"Sec-WebSocket-Protocol": answer.subprotocol} if answer.subprotocol else {}
    response, socket = await upgrade(request, headers, BROWSER_HEARTBEAT_SECONDS)
    relaying = asyncio.create_task(relay(socket, stream))
    try:
        await asyncio.shield(relaying)
    except asyncio.CancelledError:
        # A browser drops its connection right after its WebSocket's close: that close is still to be delivered.
        await asyncio.wait({relaying}, timeout=2 * CLOSE_SECONDS)
        raise
    finally:
        relaying.cancel()
    return response


def _refused(status: int, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=f"refused: {reason}\n", headers=headers)
