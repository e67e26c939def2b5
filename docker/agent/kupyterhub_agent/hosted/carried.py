"""One carried request as the forwarder sees it, and its answer on the way to the service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kupyterhub_tunnel.errors import StreamReset
from kupyterhub_tunnel.heads import AnswerHead
from kupyterhub_tunnel.wire import AnswerWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_tunnel.heads import RequestHead
    from kupyterhub_tunnel.pieces import Bytes
    from kupyterhub_tunnel.wire import Body

KEPT_BYTES = 64 * 1024
"""An answer that is not longer can be posted again after the service failed."""

_AWAY = b"""<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="3"><title>Not there yet</title>
<p>Your JupyterLab does not answer at the moment. This page asks again every few seconds.
"""


class AnswerPipe:
    """The bytes of one answer, from the one who writes them to the one who posts them; one piece at a time."""

    def __init__(self) -> None:
        self._piece = b""
        self._kept: bytearray | None = bytearray()
        self._ended = False
        self._failure: StreamReset | None = None
        self._broken = False
        self._free = asyncio.Event()
        self._free.set()
        self._changed = asyncio.Event()

    @property
    def repeatable(self) -> bool:
        """Whether `body` can be read once more from its beginning."""
        return self._kept is not None and not self._broken

    async def put(self, data: bytes) -> None:
        """Pass bytes on; waits until those before are taken. Raises StreamReset once nobody takes them."""
        if data:
            await self._free.wait()
            if self._failure is not None:
                raise self._failure
            self._piece = data
            self._free.clear()
            self._changed.set()

    def end(self) -> None:
        """Say that nothing follows."""
        self._ended = True
        self._changed.set()

    def break_off(self) -> None:
        """Let the reader see that the answer is not whole; nothing if it has ended."""
        if not self._ended:
            self._broken = True
            self.end()

    def fail(self, reason: str) -> None:
        """Let the writer see that nobody reads."""
        self._failure = StreamReset(reason)
        self._free.set()

    async def begun(self) -> None:
        """Wait until there is something to read, or nothing will come."""
        await self._changed.wait()

    async def body(self) -> AsyncIterator[bytes]:
        """Give the bytes; raises StreamReset where the answer was broken off."""
        if self._kept:
            yield bytes(self._kept)
        while True:
            await self._changed.wait()
            if self._piece:
                piece, self._piece = self._piece, b""
                self._keep(piece)
                if not self._ended:
                    self._changed.clear()
                self._free.set()
                yield piece
            elif self._broken:
                raise StreamReset("the notebook broke its answer off")
            elif self._ended:
                return
            else:
                self._changed.clear()

    def _keep(self, piece: bytes) -> None:
        if self._kept is not None:
            self._kept += piece
            if len(self._kept) > KEPT_BYTES:
                self._kept = None


class CarriedExchange:
    """An exchange of the forwarder's whose answer goes into a pipe."""

    window = 0
    """The pipe takes a piece at a time, so none is made large."""

    def __init__(self, head: RequestHead, body: Body, pipe: AnswerPipe) -> None:
        self.head = head
        self._body = body
        self._pipe = pipe
        self._writer = AnswerWriter()
        self._begun = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the request's body as it arrives."""
        async for chunk in self._body:
            yield chunk

    def hint(self, head: AnswerHead) -> None:
        """Drop an interim answer: Google's service is posted one answer."""

    async def send_head(self, head: AnswerHead) -> None:
        """Begin the answer."""
        self._begun = True
        await self._pipe.put(self._writer.head(head))

    async def write(self, data: Bytes) -> None:
        """Send bytes of the answer's body."""
        if data:
            await self._pipe.put(self._writer.data(bytes(data)))

    async def end(self) -> None:
        """Complete the answer."""
        await self._pipe.put(self._writer.end())
        self._pipe.end()

    async def reset(self, reason: str) -> None:
        """Break the answer off; before its head the browser is shown that the notebook is not there."""
        del reason  # for people with the logs, and not for the browser
        if self._begun:
            self._pipe.break_off()
            return
        headers = (("Content-Type", "text/html; charset=utf-8"), ("Retry-After", "3"), ("Cache-Control", "no-store"))
        await self.send_head(AnswerHead(503, "Service Unavailable", headers))
        if self.head.method != "HEAD":
            await self.write(_AWAY)
        await self.end()


async def refuse(pipe: AnswerPipe) -> None:
    """Answer what is no request."""
    writer = AnswerWriter()
    await pipe.put(writer.head(AnswerHead(400, "Bad Request", (("Content-Type", "text/plain; charset=utf-8"),))))
    await pipe.put(writer.data(b"this is no HTTP/1.1 request that can be carried\n") + writer.end())
    pipe.end()
