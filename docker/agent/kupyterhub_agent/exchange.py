"""One request and its answer, seen from the agent, whatever carried it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from kupyterhub_tunnel.heads import AnswerHead, RequestHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_tunnel.pieces import Bytes
    from kupyterhub_tunnel.stream import Stream


class Exchange(Protocol):
    """What the agent answers. The task that serves it is cancelled when the browser goes away.

    Every method but `chunks` waits while its reader is slow; all raise TunnelError once nobody reads.
    """

    @property
    def head(self) -> RequestHead:
        """The request as it arrived."""

    @property
    def window(self) -> int:
        """How many bytes of the answer may be on their way."""

    def chunks(self) -> AsyncIterator[Bytes]:
        """Give the request's body as it arrives."""

    def hint(self, head: AnswerHead) -> None:
        """Send an interim answer (1xx) if what carries it can. Does not wait."""

    async def send_head(self, head: AnswerHead) -> None:
        """Begin the answer."""

    async def write(self, data: Bytes) -> None:
        """Send bytes of the answer's body."""

    async def end(self) -> None:
        """Complete the answer."""

    async def reset(self, reason: str) -> None:
        """Break the answer off; before its head the browser is shown that the notebook is not there."""


class StreamExchange:
    """An exchange on a stream of the tunnel."""

    def __init__(self, stream: Stream) -> None:
        """Raise ProtocolError if the stream opens with no request."""
        self._stream = stream
        self.head = stream.opening
        self.chunks = stream.chunks
        self.hint = stream.hint
        self.send_head = stream.send_head
        self.write = stream.write
        self.end = stream.end
        self.reset = stream.reset

    @property
    def window(self) -> int:
        """That of the stream."""
        return self._stream.window


async def answer_text(exchange: Exchange, status: int, reason: str, text: str) -> None:
    """Answer with a line of text."""
    body = f"{text}\n".encode()
    headers = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))))
    await exchange.send_head(AnswerHead(status, reason, headers))
    if exchange.head.method != "HEAD":
        await exchange.write(body)
    await exchange.end()
