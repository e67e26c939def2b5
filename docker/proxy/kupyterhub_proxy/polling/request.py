"""One request of a browser's that an agent fetches and answers: a Channel to the one, an errand to the other."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kupyterhub_proxy.polling.handoff import Handoff
from kupyterhub_tunnel.errors import StreamReset, TunnelError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from kupyterhub_tunnel.heads import AnswerHead, RequestHead

_ID_BYTES = 24


class PolledRequest:
    """`forget` is called once, when nobody waits for the answer any more."""

    def __init__(self, asked: RequestHead, forget: Callable[[PolledRequest], None]) -> None:
        self.id = secrets.token_urlsafe(_ID_BYTES)
        """Whoever knows it and may serve the user may answer, so it is not to be guessed."""
        self.asked = asked
        self.started = datetime.now(UTC)
        self.offered_at: float | None = None
        """When agents were last told of it, by the loop's clock."""
        self.upload = Handoff()
        self.download = Handoff()
        self._forget = forget
        self._fetched = False
        self._taken = False
        self._answer: asyncio.Future[AnswerHead] = asyncio.get_running_loop().create_future()

    # What the server does with it: Channel.

    async def head(self) -> AnswerHead:
        """Wait for the answer's head."""
        return await asyncio.shield(self._answer)

    def whole(self) -> bytes | None:
        """Give None: the answer is read piece by piece."""
        return None

    async def read(self) -> bytes:
        """Give the next bytes of the answer, or none at its end."""
        return await self.download.read()

    def chunks(self) -> AsyncIterator[bytes]:
        """Give all bytes of the answer."""
        return self.download.chunks()

    async def write(self, data: bytes) -> None:
        """Send bytes of the request's body; waits while the agent is slow."""
        await self.upload.write(data)

    async def end(self) -> None:
        """Say that the request's body is complete."""
        self.upload.end()

    async def reset(self, reason: str) -> None:
        """Give up the request."""
        self.fail(StreamReset(reason))

    async def release(self) -> None:
        """Let go of the request; an agent that is still at it is cut off."""
        self.fail(StreamReset("no longer wanted"))
        self._forget(self)

    # What is done for the agent.

    def is_due(self, now: float, again_seconds: float) -> bool:
        """Whether agents are to be told of it now, or again."""
        return not self._fetched and (self.offered_at is None or self.offered_at + again_seconds <= now)

    @property
    def answered(self) -> bool:
        """Whether its answer has begun."""
        return self._answer.done()

    def fetch(self) -> bool:
        """Take it up; False if that cannot be. Without a body it can be fetched again, as agents do that retry."""
        if self._fetched and self.asked.has_body:
            return False
        self._fetched = True
        return True

    def take_answer(self) -> bool:
        """Claim the right to answer; False if another has."""
        taken, self._taken = self._taken, True
        return not taken

    def begin_answer(self, head: AnswerHead) -> None:
        """Give the answer's head to the browser; the body follows in `download`."""
        if not self._answer.done():
            self._answer.set_result(head)

    def stop_upload(self, failure: TunnelError) -> None:
        """Note that the agent takes no more of the body: after an early answer that is as it should be."""
        if self.answered:
            self.upload.fail(failure)
        else:
            self.fail(failure)

    def fail(self, failure: TunnelError) -> None:
        """Wake everyone who waits on this request with `failure`; harmless after its end."""
        self.upload.fail(failure)
        self.download.fail(failure)
        if not self._answer.done():
            self._answer.set_exception(failure)
            self._answer.exception()  # nobody may be waiting; that is no mistake
