"""The seam to a proxy: how people are reached from outside, and where the agent's announcements go.

`server_link.ServerLink` is the link to our own proxy server, `hosted.link.HostedLink` that to Google's service.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from kupyterhub_agent.forward import Forwarder
from kupyterhub_agent.person import Person
from kupyterhub_agent.watch import Announcement

ForwarderFactory = Callable[[Person, str], Forwarder]
"""Makes what serves a person at an origin, `https://<host>`."""


class Link(Protocol):
    """One way to be reached from outside, for any number of people. A person is made known by an announcement."""

    @property
    def ready(self) -> bool:
        """Whether requests can arrive now."""

    async def run(self) -> None:
        """Stay reachable until cancelled; a lost connection is no error."""

    async def announce(self, person: Person, announcement: Announcement) -> None:
        """Pass it on now, or when the proxy is reached again."""

    async def used(self, person: Person, at: datetime) -> None:
        """Tell other agents of this person that they were active; nothing where there are no others."""

    async def withdraw(self, person: Person) -> None:
        """End all that is carried for a person, and serve them no longer."""

    async def drain(self, timeout_seconds: float) -> None:
        """Ask for no new requests, and wait for those under way at most this long; WebSockets do not end."""
