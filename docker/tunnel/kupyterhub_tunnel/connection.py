"""The multiplexed connection: many streams and a few messages about itself on one Pipe."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any

from kupyterhub_tunnel.errors import ConnectionLost, ProtocolError, TooManyStreams, TunnelError
from kupyterhub_tunnel.frames import Frame, FrameReader, Kind
from kupyterhub_tunnel.heads import RequestHead
from kupyterhub_tunnel.sender import Sender
from kupyterhub_tunnel.stream import Ends, Stream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kupyterhub_tunnel.flow import Windows
    from kupyterhub_tunnel.pieces import Bytes
    from kupyterhub_tunnel.pipe import Pipe

MAX_STREAMS = 10_000
"""Streams at once on one connection, of all users that it serves; the server limits each user."""

log = logging.getLogger(__name__)


class Connection:
    """Either end of the connection; the server's is a Carrier.

    `serve` handles a stream that the peer opens; it is cancelled when the peer resets it. `on_info` takes
    the peer's INFO messages, in order, and must be quick: nothing more is read meanwhile.
    """

    websockets = True

    def __init__(
        self,
        pipe: Pipe,
        windows: Windows,
        *,
        on_info: Callable[[dict[str, Any]], Awaitable[None]],
        serve: Callable[[Stream], Awaitable[None]] | None = None,
    ) -> None:
        self._pipe = pipe
        self._sender = Sender(pipe)
        self._ends = Ends(self._sender, self._forget, windows)
        self._frames = FrameReader()
        self._on_info = on_info
        self._serve = serve
        self._streams: dict[int, Stream] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._last = 0
        self._news: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._failure: TunnelError | None = None

    async def run(self) -> None:
        """Take in frames until the connection ends; then every stream fails. Raises ProtocolError."""
        self._pipe.start(self._take, self._end)
        try:
            while (message := await self._news.get()) is not None:
                await self._on_info(message)
                if self._news.empty():
                    self._pipe.resume()
            if self._failure is not None:
                raise self._failure
        finally:
            await self._shut()

    async def open(self, head: RequestHead) -> Stream:
        """Open a stream for a request; raises TooManyStreams, ConnectionLost."""
        if len(self._streams) >= MAX_STREAMS:
            raise TooManyStreams(f"{MAX_STREAMS} requests are already open on this connection")
        self._last += 1
        stream = Stream.asking(self._last, head, self._ends)
        self._streams[stream.number] = stream
        return stream

    async def info(self, message: dict[str, Any]) -> None:
        """Send a message about the connection."""
        self._sender.put(Frame(Kind.INFO, 0, json.dumps(message).encode()))

    async def close(self) -> None:
        """Send what is on its way and end the connection; `run` returns."""
        self._sender.flush()
        await self._pipe.close()

    def _take(self, data: Bytes) -> None:
        for frame in self._frames.feed(data):
            if frame.kind is Kind.INFO:
                self._news.put_nowait(_json_object(bytes(frame.payload)))
                self._pipe.pause()
            else:
                self._receive(frame)

    def _end(self, failure: TunnelError | None) -> None:
        self._failure = failure
        self._news.put_nowait(None)

    def _receive(self, frame: Frame) -> None:
        if frame.kind is Kind.OPEN:
            self._accept(frame)
            return
        stream = self._streams.get(frame.stream)
        if stream is None or stream.failed:
            return  # on its way while we gave the stream up
        stream.receive(frame)
        task = self._tasks.get(frame.stream)
        if frame.kind is Kind.RESET and task is not None:
            task.cancel()

    def _accept(self, frame: Frame) -> None:
        if self._serve is None or frame.stream in self._streams:
            raise ProtocolError(f"the peer must not open stream {frame.stream}")
        if len(self._streams) >= MAX_STREAMS:
            self._sender.put(Frame(Kind.RESET, frame.stream, b"too many requests at once"))
            return
        stream = Stream.asked(frame.stream, RequestHead.decode(bytes(frame.payload)), self._ends)
        self._streams[frame.stream] = stream
        task = asyncio.create_task(self._handle(self._serve, stream))
        # One that is cancelled before it has begun lets go of nothing itself.
        task.add_done_callback(lambda _: stream.let_go())
        self._tasks[frame.stream] = task

    async def _handle(self, serve: Callable[[Stream], Awaitable[None]], stream: Stream) -> None:
        try:
            await serve(stream)
        except TunnelError as error:
            log.debug("stream %d ended early: %s", stream.number, error)
        except Exception:  # one request must not end the connection of all
            log.exception("stream %d failed", stream.number)
        finally:
            with contextlib.suppress(TunnelError):
                await stream.release()

    def _forget(self, number: int) -> None:
        self._streams.pop(number, None)
        self._tasks.pop(number, None)

    async def _shut(self) -> None:
        for stream in self._streams.values():
            stream.lose(ConnectionLost("the connection between agent and server was lost"))
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        self._sender.end()
        await self._pipe.close()


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("an INFO frame is not JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError("an INFO frame is not a JSON object")
    return message
