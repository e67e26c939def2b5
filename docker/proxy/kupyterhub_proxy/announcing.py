"""What agents say of their users' JupyterLabs: kept in the registry, and published where it is news."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kupyterhub_tunnel.agent_events import AgentEvent

if TYPE_CHECKING:
    from datetime import datetime

    from kupyterhub_proxy.hosts import Hosts
    from kupyterhub_proxy.registry import ConnectedAgent, Registry
    from kupyterhub_tunnel.agent_events import EventType, Outbox


class Announcing:
    """Takes announcements. Of several agents of a user only the one that serves speaks for them."""

    def __init__(self, hosts: Hosts, registry: Registry, outbox: Outbox) -> None:
        self._hosts = hosts
        self._registry = registry
        self._outbox = outbox
        self._stopped = False

    def stop(self) -> None:
        """Say nothing of agents that go from now on: they go because we do."""
        self._stopped = True

    def come(self, agent: ConnectedAgent) -> None:
        """Take in a user of an agent's."""
        self._registry.add(agent)

    def registered(self, agent: ConnectedAgent, moment: datetime) -> None:
        """Take note that JupyterLab answers since `moment`."""
        self._registry.register(agent, moment)
        if self._registry.serving(agent.name) is agent:
            self._publish(agent, "registered")

    def idle(self, agent: ConnectedAgent, last_activity: datetime) -> None:
        """Take note of when the user was last active. What another agent has seen of them counts too."""
        agent.last_activity = last_activity
        if self._registry.serving(agent.name) is agent:
            self._publish(agent, "idle", self._registry.last_activity(agent.name))

    def used(self, agent: ConnectedAgent, at: datetime) -> None:
        """Let the other agents of the user know that they were active."""
        for other in self._registry.others(agent):
            other.tell({"type": "used", "name": other.name, "at": at.isoformat()})

    def gone(self, agent: ConnectedAgent) -> None:
        """Forget an agent that has gone, or whose JupyterLab answers no more."""
        self._registry.remove(agent)
        if not self._stopped and self._registry.serving(agent.name) is None:
            self._publish(agent, "lost")

    def _publish(self, agent: ConnectedAgent, kind: EventType, last_activity: datetime | None = None) -> None:
        if agent.registered_at is None:
            return
        self._outbox.put(
            AgentEvent(
                type=kind,
                user=agent.user,
                name=agent.name,
                instance=agent.instance,
                proxy_url=f"{self._hosts.user(agent.name)}/",
                registered_at=agent.registered_at,
                last_activity=last_activity,
            )
        )
