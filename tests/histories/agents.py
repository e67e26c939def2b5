"""What agents see of notebooks, and announce: each start once, and again as often as they like."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from kupyterhub.domain import live as facts
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.live import Object
from kupyterhub.domain.urls import user_url

if TYPE_CHECKING:
    from histories.stage import Stage

Kind = Literal["registered", "idle", "lost"]


@dataclass
class Agents:
    """The agents of everybody, own ones and the shared one."""

    stage: "Stage"
    said: list[Announcement] = field(default_factory=list)
    """All that was ever announced."""
    _registered: set[tuple[str, datetime]] = field(default_factory=set)
    _starts: dict[tuple[str, ...], datetime] = field(default_factory=dict)

    def announce(
        self, kind: Kind = "registered", idle_for: timedelta | None = None, *, quiet: Collection[str] = ()
    ) -> None:
        """Every agent publishes what it sees of each notebook that answers; of the quiet ones only what is new."""
        for said in self._seen(kind):
            if said.user in quiet and (said.user, said.registered_at) in self._registered:
                continue
            self._registered.add((said.user, said.registered_at))
            self._publish(replace(said, last_activity=said.sent_at - idle_for) if idle_for is not None else said)

    def repeat(self, which: int) -> None:
        """Something that was announced long ago arrives once more."""
        if self.said:
            self.stage.publish_announcement(self.said[which % len(self.said)])

    def announce_of_the_future(self) -> None:
        """An agent's clock is a day ahead."""
        for said in self._seen("registered")[:2]:
            ahead = timedelta(days=1)
            at, sent = said.registered_at + ahead, said.sent_at + ahead
            self.stage.publish_announcement(replace(said, registered_at=at, sent_at=sent))

    def _publish(self, said: Announcement) -> None:
        self.said.append(said)
        self.stage.publish_announcement(said)

    def _seen(self, kind: Kind) -> list[Announcement]:
        cluster, now = self.stage.cluster, self.stage.clock()
        seen: list[Announcement] = []
        for deployment in [name for name in cluster.names("Deployment") if name.startswith("jupyterlab-")]:
            name = deployment.removeprefix("jupyterlab-")
            notebook = cluster._objects["Deployment", deployment]
            agent, user = self._agent_of(name)
            if not (agent and user and facts.is_available(notebook) and cluster._pods_of(deployment)):
                continue
            start = (*_version(notebook), *_version(agent), user)
            self._starts.setdefault(start, now)
            url = user_url(self.stage.settings, name)
            seen.append(Announcement(kind, user, name, start[-2], url, self._starts[start], now))
        return seen

    def _agent_of(self, name: str) -> tuple[Object | None, str | None]:
        """Who carries the traffic of a notebook, and whose it thinks that it is."""
        objects = self.stage.cluster._objects
        own, shared = objects.get(("Deployment", f"agent-{name}")), objects.get(("Deployment", "agent"))
        if facts.is_available(own):
            return own, own and facts.user(own)
        service = objects.get(("Service", f"jupyterlab-{name}"))
        return (shared, facts.user(service)) if service and facts.is_available(shared) else (None, None)


def _version(deployment: Object) -> tuple[str, ...]:
    """One run of a Deployment's pods: another where its template was changed, or it was unavailable in between."""
    turned = next((each["lastTransitionTime"] for each in deployment.get("status", {}).get("conditions", [])), "")
    return (deployment["metadata"]["uid"], str(deployment["metadata"]["generation"]), turned)
