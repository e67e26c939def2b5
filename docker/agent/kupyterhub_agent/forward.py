"""Carries one stream of the tunnel to JupyterLab: a request and its answer, or a WebSocket."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from kupyterhub_tunnel import rules
from kupyterhub_tunnel.heads import AnswerHead, RequestHead
from kupyterhub_tunnel.relay import relay

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

    from kupyterhub_agent.notebook import Notebook
    from kupyterhub_tunnel.heads import Headers
    from kupyterhub_tunnel.stream import Stream

UNREACHABLE = "JupyterLab does not answer"

log = logging.getLogger(__name__)


class Forwarder:
    """Serves streams for one user. `origin` is that user's URL as configured, without the slash."""

    def __init__(self, notebook: Notebook, origin: str) -> None:
        self._notebook = notebook
        self._origin = origin
        self._requests: set[asyncio.Task[None]] = set()

    async def drain(self, timeout_seconds: float) -> None:
        """Wait for the requests that are being carried, at most this long; WebSockets do not end."""
        if self._requests:
            await asyncio.wait(self._requests, timeout=timeout_seconds)

    async def serve(self, stream: Stream) -> None:
        """Handle a stream from its OPEN to its end."""
        head = RequestHead.decode(stream.opening)
        reason = rules.refusal(head, self._origin)
        if reason is not None:
            log.warning("refused %s: %s", head.method, reason)
            await _answer_text(stream, 403, "Forbidden", reason)
            return
        try:
            if head.websocket:
                await self._websocket(head, stream)
            else:
                carrying = asyncio.create_task(self._request(head, stream))
                self._requests.add(carrying)
                carrying.add_done_callback(self._requests.discard)
                await carrying
        except aiohttp.ClientConnectorError:
            await stream.reset(UNREACHABLE)
        except aiohttp.ClientError as error:
            await stream.reset(f"JupyterLab ended the exchange ({type(error).__name__})")

    async def _request(self, head: RequestHead, stream: Stream) -> None:
        body = stream.chunks() if head.has_body else None
        target = rules.request_target(head.target)
        async with self._notebook.request(head.method, target, self._headers(head), body) as answer:
            headers = rules.answer_headers(_pairs(answer.headers))
            await stream.send_head(AnswerHead(answer.status, answer.reason or "", headers).encode())
            async for chunk in answer.content.iter_any():
                await stream.write(chunk)
            await stream.end()

    async def _websocket(self, head: RequestHead, stream: Stream) -> None:
        offered = rules.subprotocols(head.headers)
        try:
            async with self._notebook.websocket(
                rules.request_target(head.target), self._headers(head), offered
            ) as socket:
                await stream.send_head(AnswerHead(101, "Switching Protocols", (), socket.protocol).encode())
                await relay(socket, stream)
        except aiohttp.WSServerHandshakeError as error:
            await _answer_text(stream, error.status, "", f"JupyterLab refused the WebSocket: {error.status}")

    def _headers(self, head: RequestHead) -> list[tuple[str, str]]:
        url = URL(self._origin)
        return [
            *rules.request_headers(head.headers),
            ("Host", url.authority),
            ("X-Forwarded-For", head.client),
            ("X-Forwarded-Host", url.authority),
            ("X-Forwarded-Proto", url.scheme),
        ]


def _pairs(headers: CIMultiDictProxy[str]) -> Headers:
    return tuple(headers.items())


async def _answer_text(stream: Stream, status: int, reason: str, text: str) -> None:
    headers = (("Content-Type", "text/plain; charset=utf-8"),)
    await stream.send_head(AnswerHead(status, reason, headers).encode())
    await stream.write(f"{text}\n".encode())
    await stream.end()
