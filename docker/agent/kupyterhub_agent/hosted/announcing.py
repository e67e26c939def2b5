"""Publishes what there is to say of one person: of each kind the newest, and never an older one after it."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import tenacity

from kupyterhub_tunnel.agent_events import PublishFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_tunnel.agent_events import AgentEvent, EventType, Publisher

log = logging.getLogger(__name__)

_for_ever = tenacity.AsyncRetrying(
    retry=tenacity.retry_if_exception_type(PublishFailed),
    wait=tenacity.wait_random_exponential(multiplier=0.5, max=30),
    before_sleep=lambda state: log.warning("%s", state.outcome and state.outcome.exception()),
)


class Announcing:
    """One message is under way at a time: so the one with the newest URL is the last that Pub/Sub takes."""

    def __init__(self, publisher: Publisher, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._publisher = publisher
        self._now = now
        self._waiting: dict[EventType, AgentEvent] = {}
        self._filled = asyncio.Event()

    def put(self, event: AgentEvent) -> None:
        """Publish an event soon; those that wait and name another URL are no longer true."""
        self._waiting = {kind: other for kind, other in self._waiting.items() if other.proxy_url == event.proxy_url}
        self._waiting[event.type] = event
        self._filled.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._filled.wait()
            await _for_ever.copy()(self._publish)

    async def _publish(self) -> None:
        kind, event = next(iter(self._waiting.items()))
        await self._publisher.publish(event.fields(self._now()))
        log.info("published %s of %s", kind, event.name)
        if self._waiting.get(kind) is event:
            del self._waiting[kind]
        if not self._waiting:
            self._filled.clear()
