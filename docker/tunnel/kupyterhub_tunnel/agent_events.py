"""The `agent-events` that the server publishes, in hosted mode the agent itself, and the seam to where they go."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

import tenacity

if TYPE_CHECKING:
    from collections.abc import Callable

EventType = Literal["registered", "idle", "lost"]

log = logging.getLogger(__name__)


class PublishFailed(Exception):
    """The message was not taken; it may be tried again."""


@dataclass(frozen=True, slots=True)
class AgentEvent:
    """One message; the times are aware."""

    type: EventType
    user: str
    name: str
    instance: str
    proxy_url: str
    registered_at: datetime
    last_activity: datetime | None = None

    def fields(self, sent_at: datetime) -> dict[str, str]:
        """Give the message's JSON object."""
        fields = {
            "type": self.type,
            "user": self.user,
            "name": self.name,
            "instance": self.instance,
            "proxyUrl": self.proxy_url,
            "registeredAt": _rfc3339(self.registered_at),
            "sentAt": _rfc3339(sent_at),
        }
        if self.last_activity is not None:
            fields["lastActivity"] = _rfc3339(self.last_activity)
        return fields


class Publisher(Protocol):
    """Where events go: pubsub.PubSubPublisher, or a twin in tests."""

    async def publish(self, fields: dict[str, str]) -> None:
        """Return once the message is safe; raises PublishFailed."""


class Outbox:
    """Takes events without waiting and publishes each, trying again for a quarter of an hour.

    After that the agents' hourly repeats take over. Order does not matter: an event only says "look again".
    """

    def __init__(self, publisher: Publisher, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._publisher = publisher
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, event: AgentEvent) -> None:
        """Publish an event soon."""
        task = asyncio.create_task(self._deliver(event))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, timeout_seconds: float) -> None:
        """Wait for what is under way, at most this long, and give up the rest."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=timeout_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _deliver(self, event: AgentEvent) -> None:
        try:
            async for attempt in tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception_type(PublishFailed),
                wait=tenacity.wait_random_exponential(multiplier=0.5, max=30),
                stop=tenacity.stop_after_delay(15 * 60),
                reraise=True,
            ):
                with attempt:
                    await self._publisher.publish(event.fields(self._now()))
        except PublishFailed as error:
            log.error("gave up publishing %s of %s: %s", event.type, event.name, error)  # noqa: TRY400
        else:
            log.info("published %s of %s", event.type, event.name)


def _rfc3339(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
