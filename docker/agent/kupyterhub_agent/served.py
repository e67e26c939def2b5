"""One person at a link to our server: what was last said of their JupyterLab, and what is carried for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kupyterhub_agent.forward import Forwarder
    from kupyterhub_agent.person import Person
    from kupyterhub_agent.watch import Announcement
    from kupyterhub_tunnel.stream import Stream


class Served:
    """Carries a person's streams by their forwarder."""

    def __init__(self, person: Person, forwarder: Forwarder) -> None:
        self.person = person
        self.registered: Announcement | None = None
        """The last registration; None while JupyterLab does not answer."""
        self._forwarder = forwarder
        self._newest = datetime.min.replace(tzinfo=UTC)
        self._streams: set[asyncio.Task[None]] = set()

    async def drain(self, timeout_seconds: float) -> None:
        """Wait for the requests that are carried, at most this long."""
        await self._forwarder.drain(timeout_seconds)

    async def carry(self, stream: Stream) -> None:
        """Handle a stream from its opening to its end."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        self._streams.add(task)
        try:
            await self._forwarder.serve_stream(stream)
        finally:
            self._streams.discard(task)

    def end(self) -> None:
        """Break off all that is carried."""
        for task in self._streams:
            task.cancel()

    def hear(self, registered_at: datetime) -> None:
        """Take note of when another agent registered this person, so that both say the same from now on."""
        self._newest = max(self._newest, registered_at)

    def message(self, announcement: Announcement) -> dict[str, Any]:
        """Say an announcement as the server is told it."""
        return {
            "type": announcement.type,
            **whom(self.person),
            "registeredAt": max(announcement.registered_at, self._newest).isoformat(),
            **({"lastActivity": announcement.last_activity.isoformat()} if announcement.last_activity else {}),
        }


def whom(person: Person) -> dict[str, str]:
    """Give the fields by which a message says whom it is about."""
    return {"name": person.name, "user": person.user, "email": person.email}
