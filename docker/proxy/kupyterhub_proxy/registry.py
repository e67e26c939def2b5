"""The agents that are there now, and which of them serves whom."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kupyterhub_tunnel.carrier import Carrier


def _nothing(_: dict[str, Any]) -> None:
    """Tell an agent nothing: those that poll can be told nothing."""


@dataclass(eq=False, slots=True)
class ConnectedAgent:
    """One user at one agent. An agent of many users has an entry for each, with one carrier."""

    name: str
    user: str
    email: str
    instance: str
    carrier: Carrier
    registered_at: datetime | None = None
    """Since when JupyterLab answers; None while it does not."""
    last_activity: datetime | None = None
    """When the user was last active, as far as this agent knows."""
    leaving: bool = False
    """It ends soon: whoever else is there is asked first."""
    tell: Callable[[dict[str, Any]], None] = field(default=_nothing)
    """Sends the agent a message, soon."""
    weight: bytes = field(init=False)
    """Of rendezvous hashing (Thaler, Ravishankar 1998): who stays keeps those that it serves when another one comes
    or goes."""

    def __post_init__(self) -> None:
        self.weight = hashlib.sha256(f"{self.name} {self.instance}".encode()).digest()


class Registry:
    """Who serves whom. A user may have several agents: replicas of the shared one, or an old and a new one."""

    def __init__(self) -> None:
        self._agents: dict[str, list[ConnectedAgent]] = {}

    def add(self, agent: ConnectedAgent) -> None:
        """Take in an agent."""
        self._agents.setdefault(agent.name, []).append(agent)

    def remove(self, agent: ConnectedAgent) -> None:
        """Forget an agent that has gone."""
        agents = self._agents[agent.name]
        agents.remove(agent)
        if not agents:
            del self._agents[agent.name]

    def register(self, agent: ConnectedAgent, moment: datetime) -> None:
        """Take note that JupyterLab answers an agent since `moment`, and let all agents of the user say the same.

        Each agent mints a moment of its own. The newest is that of all from then on, and they are told it, so
        the controller, which ignores older ones than it knows, listens to whichever is left in the end.
        """
        agents = [each for each in self._agents[agent.name] if each is agent or each.registered_at is not None]
        agent.registered_at = moment
        newest = max(each.registered_at for each in agents if each.registered_at is not None)
        for each in agents:
            if each.registered_at != newest:
                each.registered_at = newest
                each.tell({"type": "newest", "name": each.name, "registeredAt": newest.isoformat()})

    def serving(self, name: str) -> ConnectedAgent | None:
        """Give the agent that serves a user, if JupyterLab answers one.

        Of several it is the same at every replica of the server, so that one agent alone speaks for a user, and
        another one for another user, so that they share the work.
        """
        answering = [agent for agent in self._agents.get(name, []) if agent.registered_at is not None]
        return max(enumerate(answering), key=_rank, default=(0, None))[1]

    def others(self, agent: ConnectedAgent) -> list[ConnectedAgent]:
        """Give the other agents of the same user."""
        return [each for each in self._agents.get(agent.name, []) if each is not agent]

    def told(self, name: str | None) -> list[ConnectedAgent]:
        """Give an entry of each connection: of a user's agents, or of all agents."""
        agents = self._agents.get(name, []) if name is not None else chain.from_iterable(self._agents.values())
        return list({agent.carrier: agent for agent in agents}.values())

    def last_activity(self, name: str) -> datetime | None:
        """Say when a user was last active at any of their agents."""
        known = (agent.last_activity for agent in self._agents.get(name, []))
        return max((moment for moment in known if moment is not None), default=None)

    def emails(self) -> frozenset[str]:
        """Give the e-mails of all users with an agent, where the agent says whose it is."""
        return frozenset(agent.email for agents in self._agents.values() for agent in agents if agent.email)


def _rank(numbered: tuple[int, ConnectedAgent]) -> tuple[bool, bytes, int]:
    number, agent = numbered
    return not agent.leaving, agent.weight, number
