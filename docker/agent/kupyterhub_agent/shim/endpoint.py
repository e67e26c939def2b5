"""What the agent answers below `/.kupyterhub/shim/`: the script that replaces WebSockets, and what it sends.

The forwarder's rules have let the request pass: a POST comes from a page of this host, as an Origin of a WebSocket
would have to.
"""

from __future__ import annotations

import functools
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from kupyterhub_agent.exchange import answer_text
from kupyterhub_agent.shim.messages import BadMessage, Closing, closing, encoded, session_id, session_messages
from kupyterhub_agent.shim.session import Session
from kupyterhub_tunnel import rules
from kupyterhub_tunnel.heads import AnswerHead

if TYPE_CHECKING:
    from kupyterhub_agent.exchange import Exchange
    from kupyterhub_agent.notebook import Notebook
    from kupyterhub_tunnel.heads import Headers, RequestHead

PREFIX = "/.kupyterhub/shim/"
SCRIPT = f'<script src="{PREFIX}websocket.js"></script>'
"""What HTML pages of the host get after <head>. Not deferred: it must come before whatever opens a WebSocket."""

PROTOCOLS_HEADER = "x-websocket-shim-protocols"
"""The subprotocols that a page offers: no script may set Sec-WebSocket-Protocol."""

_VERSION_HEADER = "x-websocket-shim-version"
_VERSION = "1"
_TARGET = re.compile(r"/[!-~]*")
# Of the POST that opens a WebSocket, and not of the WebSocket.
_POST_ONLY = frozenset(
    {"accept", "accept-encoding", "content-length", "content-type", PROTOCOLS_HEADER, _VERSION_HEADER}
)
_LOST = Closing(aiohttp.WSCloseCode.GOING_AWAY)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person may have and how long it lasts."""

    sessions: int = 128
    body_bytes: int = 64 * 1024 * 1024
    """Of one request of the page's; it is held whole, as a WebSocket's message is."""
    poll_seconds: float = 20.0
    idle_seconds: float = 60.0
    """Without a poll for so long the page is gone."""


NORMAL = Limits()


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Shim:
    """An endpoint of the forwarder, for one person at one origin."""

    prefix = PREFIX

    def __init__(self, notebook: Notebook, origin: str, limits: Limits = NORMAL) -> None:
        self._notebook = notebook
        self._url = URL(origin)
        # As browsers write it: without a scheme's own port.
        self._host = str(self._url.host_port_subcomponent)
        self._limits = limits
        self._sessions: dict[str, Session] = {}

    async def serve(self, exchange: Exchange) -> None:
        """Answer a request."""
        try:
            await self._serve(exchange)
        except BadMessage as error:
            await answer_text(exchange, 400, "Bad Request", str(error))
        except Refused as error:
            await answer_text(exchange, error.status, "", str(error))

    async def _serve(self, exchange: Exchange) -> None:
        head = exchange.head
        what = head.target.removeprefix(PREFIX).partition("?")[0]
        match head.method, what:
            case "GET", "websocket.js":
                await _answer(exchange, 200, _script(), "text/javascript; charset=utf-8")
            case "POST", "open":
                await self._open(exchange, await self._body(exchange))
            case "POST", "data":
                await self._data(exchange, await self._body(exchange))
            case "POST", "poll":
                await self._poll(exchange, await self._body(exchange))
            case "POST", "close":
                await self._close(exchange, await self._body(exchange))
            case _:
                raise Refused(404, f"{PREFIX} has no {head.method} {what}")

    async def _open(self, exchange: Exchange, body: bytes) -> None:
        if len(self._sessions) >= self._limits.sessions:
            raise Refused(429, f"there are {self._limits.sessions} WebSockets already")
        if _value(exchange.head.headers, _VERSION_HEADER) != _VERSION:
            raise Refused(400, f"{_VERSION_HEADER} should be {_VERSION}")
        target = rules.request_target(self._target(body))
        known = secrets.token_urlsafe(16)
        session = Session(lambda: self._forget(known), self._limits.idle_seconds)
        self._sessions[known] = session
        offered = [offer.strip() for offer in _value(exchange.head.headers, PROTOCOLS_HEADER).split(",")]
        protocols = tuple(filter(None, offered))
        try:
            await session.open(self._notebook.websocket(target, self._headers(exchange.head), protocols))
        except BaseException as error:
            self._forget(known)
            if isinstance(error, aiohttp.WSServerHandshakeError):
                raise Refused(max(error.status, 400), f"JupyterLab refused the WebSocket: {error.status}") from error
            raise
        await _answer_json(
            exchange, 200, {"id": known, "msg": body.decode(), "v": int(_VERSION), "s": session.subprotocol}
        )

    async def _data(self, exchange: Exchange, body: bytes) -> None:
        for known, message in session_messages(body):
            try:
                await self._session(known).send(message)
            except aiohttp.ClientConnectionResetError as error:
                raise Refused(400, "that WebSocket is closed") from error
        await _answer(exchange, 200, b"ok", "text/plain")

    async def _poll(self, exchange: Exchange, body: bytes) -> None:
        known = session_id(body)
        session = self._session(known)
        messages = await session.poll(self._limits.poll_seconds)
        if messages:
            try:
                await _answer_json(exchange, 200, [encoded(message) for message in messages])
            except BaseException:
                # They are lost; a WebSocket loses nothing but itself.
                self._forget(known)
                await session.close(_LOST)
                raise
        elif session.closing is not None:
            self._forget(known)
            await session.close(session.closing)
            await _answer_json(exchange, 400, {"code": session.closing.code, "reason": session.closing.reason})
        else:
            await _answer(exchange, 408, b"", "text/plain")

    async def _close(self, exchange: Exchange, body: bytes) -> None:
        known, how = session_id(body), closing(body)
        session = self._session(known)
        self._forget(known)
        await session.close(how)
        await _answer(exchange, 200, b"ok", "text/plain")

    async def _body(self, exchange: Exchange) -> bytes:
        body = bytearray()
        async for chunk in exchange.chunks():
            body += chunk
            if len(body) > self._limits.body_bytes:
                raise Refused(413, f"a request may have {self._limits.body_bytes} bytes")
        return bytes(body)

    def _session(self, known: str) -> Session:
        try:
            return self._sessions[known]
        except KeyError:
            raise Refused(400, "there is no such WebSocket") from None

    def _forget(self, known: str) -> None:
        self._sessions.pop(known, None)

    def _target(self, body: bytes) -> str:
        """Read path and query of the WebSocket's URL, which must be of this host; raises Refused."""
        try:
            url = URL(body.decode("ascii"), encoded=True)
        except ValueError as error:
            raise Refused(400, "that is no URL") from error
        expected = "wss" if self._url.scheme == "https" else "ws"
        if (url.scheme, url.host_port_subcomponent) != (expected, self._host):
            raise Refused(403, "only WebSockets of this host are carried")
        if not _TARGET.fullmatch(url.raw_path_qs):
            raise Refused(400, "that is no path of a URL")
        return url.raw_path_qs

    def _headers(self, head: RequestHead) -> list[tuple[str, str]]:
        kept = tuple((name, value) for name, value in head.headers if name.lower() not in _POST_ONLY)
        return [
            *rules.request_headers(kept),
            ("Host", self._host),
            ("X-Forwarded-For", head.client),
            ("X-Forwarded-Host", self._host),
            ("X-Forwarded-Proto", self._url.scheme),
        ]


async def _answer_json(exchange: Exchange, status: int, value: Any) -> None:
    await _answer(exchange, status, json.dumps(value, separators=(",", ":")).encode(), "application/json")


async def _answer(exchange: Exchange, status: int, body: bytes, content_type: str) -> None:
    headers = (
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    )
    await exchange.send_head(AnswerHead(status, "", headers))
    await exchange.write(body)
    await exchange.end()


@functools.cache
def _script() -> bytes:
    return Path(__file__).with_name("websocket.js").read_bytes()


def _value(headers: Headers, wanted: str) -> str:
    return ",".join(value for name, value in headers if name.lower() == wanted)
