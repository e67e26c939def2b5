"""The seam to a proxy: how the agent is reached and where its announcements go.

`server_link.ServerLink` is the link to our own proxy server.
"""

from __future__ import annotations

from typing import Protocol

from kupyterhub_agent.watch import Announcer


class Link(Announcer, Protocol):
    """One way to be reached from outside."""

    @property
    def ready(self) -> bool:
        """Whether requests of the user can arrive now."""

    async def run(self) -> None:
        """Stay reachable until cancelled; a lost connection is no error."""
