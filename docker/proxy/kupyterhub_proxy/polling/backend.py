"""A user's agents that poll, as one carrier: several of one user share the work."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING

from kupyterhub_proxy.polling.request import PolledRequest
from kupyterhub_tunnel.errors import ConnectionLost, TooManyStreams

if TYPE_CHECKING:
    from kupyterhub_tunnel.carrier import Channel
    from kupyterhub_tunnel.heads import RequestHead

MAX_PENDING = 256
"""Most requests of one user that are open at a time."""

MAX_IDS = 100
"""Most ids in one answer: Google's agents expect no more."""

POLL_SECONDS = 20.0
"""How long a poll without news is held. Load balancers of Google's end an exchange after 30 s."""

AGAIN_SECONDS = 10.0
"""An id that was not fetched is offered again: the answer that told of it may have been lost."""


class Backend:
    """The carrier of one user, whose URL is `origin`."""

    websockets = False

    def __init__(self, origin: str) -> None:
        scheme, _, self.host = origin.partition("://")
        self._own_headers = (("X-Forwarded-Host", self.host), ("X-Forwarded-Proto", scheme))
        self._requests: dict[str, PolledRequest] = {}
        self._news = asyncio.Event()
        self._closed = False

    async def open(self, head: RequestHead) -> Channel:
        """Put a request where the agents find it; raises TooManyStreams."""
        if len(self._requests) >= MAX_PENDING:
            raise TooManyStreams(f"{MAX_PENDING} requests are waiting already")
        # Google's agent adds none of these; our own does.
        told = (*head.headers, *self._own_headers, ("X-Forwarded-For", head.client))
        request = PolledRequest(dataclasses.replace(head, headers=told), self._forget)
        self._requests[request.id] = request
        self._news.set()
        return request

    async def poll(self) -> list[str]:
        """Wait for requests that nobody has fetched; give their ids, or none after a while."""
        clock = asyncio.get_running_loop().time
        until = clock() + POLL_SECONDS
        while not (ids := self._due(clock())) and clock() < until and not self._closed:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(until - clock(), AGAIN_SECONDS))
        return ids

    def find(self, request_id: str) -> PolledRequest | None:
        """Give an open request of this user's, if there is one of this id."""
        return self._requests.get(request_id)

    def fail(self, reason: str) -> None:
        """Give up the requests that have no answer yet: no agent is there."""
        for request in list(self._requests.values()):
            if not request.answered:
                request.fail(ConnectionLost(reason))

    def close(self, reason: str) -> None:
        """End all polls too."""
        self._closed = True
        self._news.set()
        self.fail(reason)

    def _due(self, now: float) -> list[str]:
        due = [request for request in self._requests.values() if request.is_due(now, AGAIN_SECONDS)][:MAX_IDS]
        for request in due:
            request.offered_at = now
        return [request.id for request in due]

    def _forget(self, request: PolledRequest) -> None:
        self._requests.pop(request.id, None)
