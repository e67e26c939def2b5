"""The body of a browser's request on its way to an agent, while the answer is waited for."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from aiohttp import ClientError, HttpVersion11, web

from kupyterhub_tunnel.errors import TunnelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from kupyterhub_tunnel.carrier import Channel

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


async def upload(request: web.BaseRequest, channel: Channel, progressed: Callable[[], None]) -> None:
    """Send the whole body; `progressed` is told of each piece that the agent has taken.

    A notebook that refuses an upload answers before its end: what it does not take then is no error.
    """
    with contextlib.suppress(TunnelError):
        try:
            if request.version >= HttpVersion11 and request.headers.get("Expect", "").lower() == "100-continue":
                # Only now: before this nobody knew whether the browser may send it to this notebook.
                await request.writer.write(_CONTINUE)
            async for chunk in request.content.iter_any():
                await channel.write(chunk)
                progressed()
            await channel.end()
        except (ClientError, web.RequestPayloadError, OSError):
            await channel.reset("the browser broke off its upload")


class Patience:
    """Waits for an answer: `seconds` from the last sign of progress."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(seconds)
        self._waiting = False

    async def __aenter__(self) -> None:
        self._waiting = True
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Raise TimeoutError if it ran out."""
        self._waiting = False
        await self._timeout.__aexit__(kind, error, trace)

    def renew(self) -> None:
        """Begin anew, if it still waits."""
        if self._waiting and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._seconds)
