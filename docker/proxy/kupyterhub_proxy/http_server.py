"""HTTP/1.1 as this server speaks it: aiohttp's strict parser, bodies untouched, short refusals."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, cast

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
from aiohttp.web_protocol import _ErrInfo
from yarl import URL

from kupyterhub_proxy import limits
from kupyterhub_proxy.pages import page
from kupyterhub_tunnel.pieces import read, reading_to

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_READ_BYTES = 32 * 1024
_LENGTH = re.compile(r"0|[1-9][0-9]{0,17}")

_WHOLE = re.compile(r"https?://(?P<authority>[^/?#@]+)(?P<target>[^#]*)", re.IGNORECASE)

# What aiohttp's parser says of more than 128 headers; it has no exception of its own.
_TOO_MANY = "Too many headers"


def _by_path(message: RawRequestMessage) -> RawRequestMessage:
    """Have a request that names a whole URL (RFC 9112, 3.2.2) be one for its path, if the URL is of its host."""
    whole = None if message.path.startswith("/") else _WHOLE.fullmatch(message.path)
    if whole is None or message.headers.getall("Host", []) != [whole["authority"]]:
        return message
    target = whole["target"] if whole["target"].startswith("/") else f"/{whole['target']}"
    path, _, query = target.partition("?")
    return message._replace(path=target, url=URL.build(path=path, query_string=query, encoded=True))


def _without_upgrade(message: RawRequestMessage) -> RawRequestMessage:
    """Have a request to upgrade to something unknown be the last: aiohttp loses what follows it at once."""
    upgrade = message.headers.get("Upgrade", "websocket").lower()
    return message if upgrade == "websocket" else message._replace(should_close=True)


class HttpServer(web.Server):
    """Serves with `handler`. A browser that goes away cancels what it asked for."""

    def __init__(self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]) -> None:
        super().__init__(
            handler,
            handler_cancellation=True,
            access_log=None,
            read_bufsize=_READ_BYTES,
            auto_decompress=False,  # a gzipped upload is the notebook's to read
            max_line_size=limits.HEADER_FIELD_BYTES,
            max_field_size=limits.HEADER_FIELD_BYTES,
        )

    def __call__(self) -> web.RequestHandler:
        """Make what speaks on one connection."""
        return cast("web.RequestHandler", _Reading(_Speaker(self, loop=self._loop, **self._kwargs)))


class _Reading(asyncio.BufferedProtocol):
    """Reads for a speaker, not much at a time: aiohttp holds several reads of an upload that nobody takes."""

    def __init__(self, speaker: _Speaker) -> None:
        self._received = speaker.data_received
        self.connection_made = speaker.connection_made  # type: ignore[method-assign]
        self.connection_lost = speaker.connection_lost  # type: ignore[method-assign]
        self.pause_writing = speaker.pause_writing  # type: ignore[method-assign]
        self.resume_writing = speaker.resume_writing  # type: ignore[method-assign]
        self.eof_received = speaker.eof_received  # type: ignore[method-assign]

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give where to read to."""
        del sizehint
        return reading_to(None, _READ_BYTES)

    def buffer_updated(self, nbytes: int) -> None:
        """Read."""
        self._received(read(nbytes))


class _Speaker(web.RequestHandler):
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _broken = False
    _body: StreamReader = EMPTY_PAYLOAD
    """Of the last request whose head was read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the first request its time."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Give a request that has begun its time, and none to one whose head is there."""
        if self._broken:
            return  # aiohttp would keep it, with what it says of it, until it has answered what came before
        before, in_head = self._request_count, self._body.is_eof()
        super().data_received(data)
        if self._request_count != before:
            self._head_bytes = 0
            self._stop_waiting()
            self._look_at_messages()
            if self._body is EMPTY_PAYLOAD and not data.endswith(b"\r\n\r\n"):
                self._await_head()  # half of the next one has come with it
        elif in_head:
            if self._head_timer is None:
                self._await_head()
            self._head_bytes += len(data)
            if self._head_bytes > limits.HEADER_BYTES + limits.HEADER_FIELD_BYTES:
                self._refuse(LineTooLong(b"", limits.HEADER_BYTES))

    def _refuse(self, exc: HttpProcessingError) -> None:
        """Have nothing more read, and this answered, as aiohttp has what its parser refuses."""
        self._broken = True
        self._messages.append((_ErrInfo(exc.code, exc, ""), EMPTY_PAYLOAD))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _look_at_messages(self) -> None:
        for at, (message, payload) in enumerate(self._messages):
            if not isinstance(message, _ErrInfo):
                self._body = payload
                self._messages[at] = (_without_upgrade(_by_path(message)), payload)
            elif isinstance(message.exc, HttpProcessingError):
                # Of what is no HTTP nothing is kept but that it is none: what aiohttp says of it is long.
                self._broken = True
                if not self._body.is_eof():  # an upload that is under way is not whole
                    self._body.set_exception(web.RequestPayloadError("this is no HTTP request"))
                exc = message.exc.with_traceback(None)
                exc.args, exc.message = (), exc.message[: len(_TOO_MANY)]
                self._messages[at] = (_ErrInfo(message.status, exc, ""), payload)

    @property
    def has_more(self) -> bool:
        """Whether something has come behind a request to upgrade."""
        return bool(self._message_tail)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Wait for nothing more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = asyncio.get_running_loop().call_later(limits.HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        self._head_timer = None
        if self._request_in_progress:
            self._await_head()
        else:
            self.force_close()

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Refuse what is no HTTP. aiohttp would answer and log the offending bytes, which may hold a secret."""
        if isinstance(exc, ConnectionError):
            log.debug("%s has left while it was answered", request.remote)
            return _closing(web.Response(status=500))  # which reaches nobody
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        log.info("refused a request from %s: %s", request.remote, type(exc).__name__)
        if isinstance(exc, LineTooLong) or exc.message.startswith(_TOO_MANY):
            return _too_large()
        return _closing(web.Response(status=400, text="this is no HTTP request\n"))


def has_sent_more(request: web.BaseRequest) -> bool:
    """Whether the client has gone on behind a request to upgrade, before it was answered."""
    speaker = request.protocol
    return isinstance(speaker, _Speaker) and speaker.has_more


def refusal(request: web.BaseRequest) -> web.Response | None:
    """Refuse what is HTTP but nothing that a browser asks of this server."""
    if not request.raw_path.startswith("/"):
        return web.Response(status=400, text="this server is asked for paths\n")
    if request.version not in {HttpVersion10, HttpVersion11}:
        return web.Response(status=505, text="this server speaks HTTP/1.1\n")
    if not _is_framed(request):
        return _closing(web.Response(status=400, text="where this request ends is not said as HTTP says it\n"))
    if sum(len(name) + len(value) for name, value in request.raw_headers) > limits.HEADER_BYTES:
        return _too_large()
    if request.headers.get("Expect", "100-continue").lower() != "100-continue":
        return web.Response(status=417, text="100-continue is all that may be expected here\n")
    return None


def _is_framed(request: web.BaseRequest) -> bool:
    """Whether everybody who reads the request agrees on where it ends; some readers take more than the standard."""
    lengths = request.headers.getall("Content-Length", [])
    codings = request.headers.getall("Transfer-Encoding", [])
    if codings:
        return not lengths and [coding.lower() for coding in codings] == ["chunked"]
    return len(lengths) <= 1 and all(map(_LENGTH.fullmatch, lengths))


def _too_large() -> web.Response:
    """Refuse it by a page that makes a browser forget what any page of the domain can burden it with."""
    return _closing(page("too-large.html", status=431))


def _closing(response: web.Response) -> web.Response:
    """Let nothing follow on its connection."""
    response.force_close()
    return response
