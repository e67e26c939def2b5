"""One connection to JupyterLab. The parser is llhttp, as Node.js has it, in its strict form."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from kupyterhub_agent.http_client.errors import BrokenOff, HttpError, Stale
from kupyterhub_agent.http_client.request import LAST_CHUNK, chunk
from kupyterhub_tunnel.pieces import READ_BYTES, Pieces, filled, read, reading_to, room

if TYPE_CHECKING:
    from kupyterhub_agent.http_client.request import Request
    from kupyterhub_tunnel.pieces import Bytes

MAX_HEAD_BYTES = 64 * 1024
"""Most bytes of an answer that hold nothing of its body: its head with interim ones, or its trailers."""

READ_AHEAD_BYTES = 64 * 1024
"""Of a body no more is read while so many bytes are held, or as many as can be passed on."""

_FIRST_FINAL = 200


class Connection(asyncio.BufferedProtocol):
    """Carries one exchange at a time: `send`, then `head`, then `read` until nothing comes. It is also the answer."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._room = asyncio.Event()
        self._room.set()
        self._used = False
        self._left = self._wanted = 0
        self._own: bytearray | None = None
        self._changed: asyncio.Future[None] | None = None
        self._failure: HttpError | None = None
        self._closed = False
        self._busy = False

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent: the last exchange is over, both ways."""
        return self._keep and self._complete and self._sent and not self._closed and not self._transport.is_closing()

    def _begin(self, request: Request) -> None:
        self.status = 0
        self.reason = ""
        self.headers: list[tuple[str, str]] = []
        self._parser = HttpResponseParser(self)
        self._reused, self._used = self._used, True
        self._hinted = request.hinted
        self._bodiless = request.method == "HEAD"
        self._sent = request.body is None
        self._bodiless_bytes = 0
        self._answered = False
        self._interim = False
        self._headed = False
        self._complete = False
        self._keep = False
        self._paused = False
        self._body = Pieces()
        self._wanted = 0
        self._length: int | None = None
        self._left = 0
        self._busy = True

    def close(self) -> None:
        """Break off what is under way."""
        self._transport.abort()

    async def send(self, request: Request) -> None:
        """Send all but the body; `upload` sends that. Raises BadRequest, BrokenOff."""
        head = request.head()
        self._begin(request)
        if self._closed or self._transport.is_closing():
            raise Stale("JupyterLab has closed the connection")
        self._transport.write(head)

    async def upload(self, request: Request) -> None:
        """Send the body as it comes. One of another length than was said ends the connection."""
        assert request.body is not None  # noqa: S101 - who has none does not ask
        left = request.length
        async for data in request.body:
            if not data:
                continue  # as a chunk it would be the last one
            if left is not None:
                left -= len(data)
                if left < 0:
                    break
            await self._room.wait()
            if self._transport.is_closing():
                return
            self._transport.write(data if left is not None else chunk(data))
        if left:
            self.close()
            return
        if left is None:
            self._transport.write(LAST_CHUNK)
        self._sent = True

    async def head(self) -> None:
        """Wait for the answer's head: then `status`, `reason` and `headers` are set. Raises BrokenOff."""
        while not self._headed:
            if self._failure is not None:
                raise self._failure
            await self._wait()

    async def read(self, wanted: int = READ_BYTES) -> Bytes:
        """Give the next bytes of the body, or none at its end; raises BrokenOff.

        More than `wanted` is not read at once: it is how many whoever asks can pass on.
        """
        self._wanted = wanted
        while not self._body:
            if self._failure is not None:
                raise self._failure
            if self._complete:
                return b""
            await self._wait()
        data = self._body.take()
        if self._paused and not self._body and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
        return data

    async def _wait(self) -> None:
        self._changed = self._loop.create_future()
        await self._changed

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Give where to read to."""
        del sizehint
        self._own = room(self._left, self._wanted)
        return reading_to(self._own, self._wanted)

    def buffer_updated(self, nbytes: int) -> None:
        """Read the answer."""
        if self._own is not None:
            own, self._own = self._own, None
            self._take(filled(own, nbytes))
        elif not self._busy or self._complete:
            self.close()  # nobody has asked
            return
        elif self._left:
            self._take(read(nbytes))
        elif not self._parsed(read(nbytes)):
            return
        self._arrived()

    def _arrived(self) -> None:
        enough = self._body.size >= min(READ_AHEAD_BYTES, max(self._wanted, 1))
        if enough and not self._paused and not self._complete:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def _parsed(self, data: bytes) -> bool:
        self._answered = True
        self._bodiless_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._fail(BrokenOff(f"JupyterLab's answer is no HTTP ({type(error).__name__})"))
            return False
        if self._bodiless_bytes > MAX_HEAD_BYTES and not self._complete:
            self._fail(BrokenOff("the head of JupyterLab's answer is too large"))
            return False
        if self._headed and not self._complete and self._length is not None:
            self._left = self._length - self._body.size
        return True

    def _take(self, data: Bytes) -> None:
        """Take bytes of a body of which the parser has found out the length: it would only copy them."""
        if len(data) > self._left:
            data, self._keep = data[: self._left], False
        self._left -= len(data)
        self._body.append(data)
        self._complete = not self._left

    def eof_received(self) -> None:
        """Have the transport closed."""

    def pause_writing(self) -> None:
        """Note that JupyterLab is slow."""
        self._room.clear()

    def resume_writing(self) -> None:
        """Note that it takes more."""
        self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """See whether the answer is whole."""
        self._closed = True
        self._room.set()
        if not self._busy or self._complete:
            return
        if self._headed and exc is None and not self._says_its_end():
            self._complete = True
        elif self._reused and not self._answered:
            self._failure = self._failure or Stale("JupyterLab has closed the connection")
        else:
            self._failure = self._failure or BrokenOff("JupyterLab broke its answer off")
        self._wake()

    # What the parser calls

    def on_status(self, reason: bytes) -> None:
        """Take the reason of the first line, or what of it one read has brought."""
        if not self._headed:
            self.reason += reason.decode("utf-8", "surrogateescape")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; trailers are dropped."""
        if not self._headed:
            said = value.strip(b" \t")  # the parser leaves what is behind it
            self.headers.append((name.decode("utf-8", "surrogateescape"), said.decode("utf-8", "surrogateescape")))

    def on_headers_complete(self) -> None:
        """Let the answer begin, unless it is an interim one."""
        if self._complete:
            return
        status = self._parser.get_status_code()
        self._interim = status < _FIRST_FINAL
        if self._interim:
            if self._hinted is not None and status > HTTPStatus.SWITCHING_PROTOCOLS:
                self._hinted(status, self.reason, tuple(self.headers))
            self.headers = []
            return
        self.status = status
        self._headed = True
        said = self._said("content-length")
        self._length = int(said) if said is not None else None  # the parser takes numbers alone
        self._keep = self._parser.should_keep_alive()
        if self._bodiless:
            self._complete = True

    def on_body(self, data: bytes) -> None:
        """Hold bytes of the body."""
        if self._complete:
            self._keep = False
            return
        self._bodiless_bytes = 0
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Note that nothing follows."""
        if not self._interim:
            self._complete = True

    def on_message_begin(self) -> None:
        """Nothing more may follow an answer."""
        if self._complete:
            self._keep = False
        elif not self._headed:
            self.reason = ""

    def _said(self, wanted: str) -> str | None:
        return next((value for name, value in self.headers if name.lower() == wanted), None)

    def _says_its_end(self) -> bool:
        chunked = (self._said("transfer-encoding") or "").lower().rpartition(",")[2].strip() == "chunked"
        return chunked or self._length is not None

    def _fail(self, failure: HttpError) -> None:
        if not self._complete:
            self._failure = failure
        self.close()
        self._wake()
