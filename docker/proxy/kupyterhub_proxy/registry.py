"""The agents that are connected now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from kupyterhub_tunnel.connection import Connection


@dataclass(eq=False, slots=True)
class ConnectedAgent:
    """One connection, after its hello."""

    name: str
    user: str
    email: str
    instance: str
    connection: Connection
    registered_at: datetime | None = None
    """Since when JupyterLab answers; None while it does not."""


class Registry:
    """Who serves whom. A newer agent of a user does not end the older: what that one carries goes on."""

    def __init__(self) -> None:
        self._agents: dict[str, list[ConnectedAgent]] = {}

    def add(self, agent: ConnectedAgent) -> None:
        """Take in an agent; it is now the newest of its user."""
        self._agents.setdefault(agent.name, []).append(agent)

    def remove(self, agent: ConnectedAgent) -> None:
        """Forget an agent whose connection has ended."""
        agents = self._agents[agent.name]
        agents.remove(agent)
        if not agents:
            del self._agents[agent.name]

    def serving(self, name: str) -> ConnectedAgent | None:
        """Give the newest agent of a user whose JupyterLab answers."""
        answering = [agent for agent in self._agents.get(name, []) if agent.registered_at is not None]
        return answering[-1] if answering else None

    def emails(self) -> frozenset[str]:
        """Give the e-mails of all users with an agent."""
        return frozenset(agent.email for agents in self._agents.values() for agent in agents)

    def all(self) -> list[ConnectedAgent]:
        """Give every agent."""
        return [agent for agents in self._agents.values() for agent in agents]
