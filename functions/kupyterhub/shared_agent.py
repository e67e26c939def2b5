"""From an agent for each user to the shared one and back, with nobody left without an agent in between.

`resync all` brings the shared agent up, or takes it away; each user's own is the business of the look at that user.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kupyterhub.domain.desired import NOTEBOOK
from kupyterhub.domain.differs import Listed
from kupyterhub.domain.errors import ObjectChanged, TransientError
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.labels import SHARED
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests import shared_agent
from kupyterhub.ports import Cluster


@dataclass(frozen=True)
class SharedAgent:
    """Deployment and ServiceAccount `agent` in a cluster."""

    cluster: Cluster
    installation: Installation

    def settle(self, deployments: Iterable[Listed]) -> str | None:
        """Apply it if the settings say so; else remove it if a listing of all Deployments says that it may go.

        Returns what was done with one that is not wanted; raises TransientError.
        """
        if self.installation.settings.agent == "shared":
            self._put(shared_agent.account())
            self._put(shared_agent.deployment(self.installation))
            return None
        listed = list(deployments)
        if not any(map(is_shared, listed)):
            return None
        if waiting := without_own(listed):
            return f"the shared agent stays for {waiting} users whose own is not available yet"
        # The Deployment, by which it is found, goes last.
        for kind in ("ServiceAccount", "Deployment"):
            if live := self.cluster.read(kind, shared_agent.NAME):
                self._delete(live)
        return "the shared agent was removed"

    def _put(self, manifest: Object) -> None:
        live = self.cluster.read(manifest["kind"], manifest["metadata"]["name"])
        try:
            if live:
                self.cluster.apply(manifest, live)
            else:
                self.cluster.create(manifest)
        except ObjectChanged as e:
            raise TransientError(f"{e}; the shared agent is settled at the next try") from e

    def _delete(self, live: Object) -> None:
        try:
            self.cluster.delete(live)
        except ObjectChanged as e:
            raise TransientError(f"{e}; the shared agent goes at the next try") from e


def is_shared(deployment: Listed) -> bool:
    """Whether it is the shared agent's."""
    return deployment.name == SHARED


def without_own(deployments: Iterable[Listed]) -> int:
    """How many notebooks have no agent of their own that is available."""
    listed = list(deployments)
    notebooks = {obj.name for obj in listed if obj.key == NOTEBOOK}
    served = {obj.name for obj in listed if obj.key == "Deployment agent" and obj.available}
    return len(notebooks - served)
