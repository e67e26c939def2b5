"""How the server reaches an agent, whatever carries it: our own connection, or Google's agent by its polls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_tunnel.heads import AnswerHead, RequestHead
    from kupyterhub_tunnel.pieces import Bytes


class Channel(Protocol):
    """One request at an agent, seen from the server. Every method may raise TunnelError.

    Whoever is done with a channel calls `release`, whatever happened.
    """

    async def head(self) -> AnswerHead:
        """Wait for the answer's next head: those of interim answers, if they are carried, and then its own."""

    def whole(self) -> bytes | None:
        """Give the rest of the answer if all of it has come, so that it can be sent at once; else None."""

    async def read(self) -> Bytes:
        """Give the next bytes of the answer, or none at its end."""

    def chunks(self) -> AsyncIterator[Bytes]:
        """Give all bytes of the answer."""

    async def write(self, data: bytes) -> None:
        """Send bytes of the request's body; waits while the agent is slow."""

    async def end(self) -> None:
        """Say that the request's body is complete."""

    async def reset(self, reason: str) -> None:
        """Give up the request and tell the agent why."""

    async def release(self) -> None:
        """Let go of the channel; one that is not finished is reset."""


class Carrier(Protocol):
    """A connected agent."""

    @property
    def websockets(self) -> bool:
        """Whether it carries WebSockets."""

    async def open(self, head: RequestHead) -> Channel:
        """Send a request's head; raises TunnelError. A body follows if it says so."""
