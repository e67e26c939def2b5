"""Carries requests and WebSockets to JupyterLab, after the rules have let them pass."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import aiohttp
from yarl import URL

from kupyterhub_agent.exchange import StreamExchange, answer_text
from kupyterhub_agent.http_client.errors import HttpError, Unreachable
from kupyterhub_agent.injection import Injection, acceptable
from kupyterhub_tunnel import rules
from kupyterhub_tunnel.errors import TunnelError
from kupyterhub_tunnel.heads import AnswerHead
from kupyterhub_tunnel.relay import relay

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from kupyterhub_agent.exchange import Exchange
    from kupyterhub_agent.notebook import Notebook
    from kupyterhub_tunnel.heads import Headers, RequestHead
    from kupyterhub_tunnel.stream import Stream

UNREACHABLE = "JupyterLab does not answer"

log = logging.getLogger(__name__)


class Endpoint(Protocol):
    """What the agent itself answers, below a path of the user's host."""

    prefix: str
    """Of the path, as `/.kupyterhub/shim/`."""

    async def serve(self, exchange: Exchange) -> None:
        """Answer a request that the rules have let pass."""


def untouched(_: RequestHead) -> None:
    """Take no note of a request."""


class Forwarder:
    """Serves one user. `origin` is that user's URL without its slash, `scripts` what their pages get after <head>.

    `touched` is told of each request that the rules let pass.
    """

    def __init__(
        self,
        notebook: Notebook,
        origin: str,
        endpoints: Sequence[Endpoint] = (),
        scripts: Sequence[str] = (),
        touched: Callable[[RequestHead], None] = untouched,
    ) -> None:
        url = URL(origin)
        host = str(url.host_port_subcomponent)  # as a browser says it: without a scheme's own port
        self._notebook = notebook
        self._origin = origin
        self._endpoints = tuple(endpoints)
        self._scripts = tuple(scripts)
        self._touched = touched
        self._own_headers = (
            ("Host", host),
            ("X-Forwarded-Host", host),
            ("X-Forwarded-Proto", url.scheme),
        )
        self._carried = 0
        self._idle = asyncio.Event()

    async def drain(self, timeout_seconds: float) -> None:
        """Wait for the requests that are being carried, at most this long; WebSockets do not end."""
        if self._carried:
            try:
                await asyncio.wait_for(self._idle.wait(), timeout_seconds)
            except TimeoutError:
                log.info("%d requests were cut short", self._carried)

    async def serve_stream(self, stream: Stream) -> None:
        """Handle a stream of the tunnel from its opening to its end: a request or a WebSocket."""
        exchange = StreamExchange(stream)
        if not stream.opening.websocket:
            await self.serve(exchange)
        elif await self._passes(exchange):
            await self._guarded(exchange, self._websocket(exchange, stream))

    async def serve(self, exchange: Exchange) -> None:
        """Answer a request that is no WebSocket."""
        if not await self._passes(exchange):
            return
        self._carried += 1
        self._idle.clear()
        try:
            await self._guarded(exchange, self._answerer(exchange.head)(exchange))
        finally:
            self._carried -= 1
            if not self._carried:
                self._idle.set()

    async def _passes(self, exchange: Exchange) -> bool:
        reason = rules.refusal(exchange.head, self._origin)
        if reason is None:
            self._touched(exchange.head)
            return True
        log.warning("refused %s: %s", exchange.head.method, reason)
        await answer_text(exchange, 403, "Forbidden", reason)
        return False

    def _answerer(self, head: RequestHead) -> Callable[[Exchange], Awaitable[None]]:
        for endpoint in self._endpoints:
            if head.target.startswith(endpoint.prefix):
                return endpoint.serve
        return self._request

    async def _guarded(self, exchange: Exchange, answering: Awaitable[None]) -> None:
        try:
            await answering
        except (Unreachable, aiohttp.ClientConnectorError):
            self._notebook.doubt()
            await exchange.reset(UNREACHABLE)
        except (HttpError, aiohttp.ClientError) as error:
            await exchange.reset(f"JupyterLab ended the exchange ({type(error).__name__})")

    async def _request(self, exchange: Exchange) -> None:
        head = exchange.head
        body = exchange.chunks() if head.has_body else None
        target = rules.request_target(head.target)

        def hinted(status: int, reason: str, headers: Headers) -> None:
            with contextlib.suppress(TunnelError):  # the answer itself meets it too
                exchange.hint(AnswerHead(status, reason, rules.answer_headers(headers)))

        async with self._notebook.request(head.method, target, self._headers(head), body, hinted) as answer:
            passed = AnswerHead(answer.status, answer.reason, rules.answer_headers(tuple(answer.headers)))
            injection = Injection.of(head, passed, self._scripts)
            if injection is None:
                await exchange.send_head(passed)
                while chunk := await answer.read(exchange.window):
                    await exchange.write(chunk)
            else:
                await exchange.send_head(injection.head)
                while chunk := await answer.read(exchange.window):
                    await exchange.write(injection.feed(chunk))
                await exchange.write(injection.finish())
            await exchange.end()

    async def _websocket(self, exchange: Exchange, stream: Stream) -> None:
        head = exchange.head
        offered = rules.subprotocols(head.headers)
        try:
            async with self._notebook.upgraded(
                rules.request_target(head.target), self._headers(head), offered
            ) as upgrade:
                await exchange.send_head(AnswerHead(101, "Switching Protocols", (), upgrade.subprotocol))
                await relay(upgrade.socket, stream)
        except aiohttp.WSServerHandshakeError as error:
            # With a wrong key a 101 opens nothing.
            wrong = error.status == HTTPStatus.SWITCHING_PROTOCOLS
            status = HTTPStatus.BAD_GATEWAY if wrong else error.status
            await answer_text(exchange, status, "", f"JupyterLab refused the WebSocket: {error.status}")

    def _headers(self, head: RequestHead) -> list[tuple[str, str]]:
        headers = acceptable(head) if self._scripts else head.headers
        return [*rules.request_headers(headers), *self._own_headers, ("X-Forwarded-For", head.client)]
