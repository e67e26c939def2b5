"""From an agent for each user to the shared one and back, with nobody left without an agent in between.

`resync all` brings the shared agent up, or takes it away; each user's own is the business of the look at that user.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kupyterhub.domain import labels
from kupyterhub.domain import live as facts
from kupyterhub.domain.errors import ObjectChanged, TransientError
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests import shared_agent
from kupyterhub.domain.manifests.agent_pod import COMPONENT
from kupyterhub.ports import Cluster


@dataclass(frozen=True)
class SharedAgent:
    """Deployment and ServiceAccount `agent` in a cluster."""

    cluster: Cluster
    installation: Installation

    def settle(self, deployments: Iterable[Object]) -> str | None:
        """Apply it if the settings say so; else remove it if a listing of all Deployments says that it may go.

        Returns what was done with one that is not wanted; raises TransientError.
        """
        if self.installation.settings.agent == "shared":
            self.cluster.apply(shared_agent.account())
            self.cluster.apply(shared_agent.deployment(self.installation))
            return None
        listed = list(deployments)
        if not any(map(is_shared, listed)):
            return None
        if waiting := without_own(listed):
            return f"the shared agent stays for {waiting} users whose own is not available yet"
        self._remove()
        return "the shared agent was removed"

    def _remove(self) -> None:
        # The Deployment, by which it is found, goes last.
        for obj in reversed(self.cluster.user_objects(labels.of_shared(COMPONENT))):
            try:
                self.cluster.delete(obj)
            except ObjectChanged as e:
                raise TransientError(f"{e}; the shared agent goes at the next try") from e


def is_shared(deployment: Object) -> bool:
    """Whether it is the shared agent's."""
    return facts.component(deployment) == COMPONENT and facts.instance(deployment) == labels.SHARED


def without_own(deployments: Iterable[Object]) -> int:
    """How many notebooks have no agent of their own that is available."""
    listed = list(deployments)
    notebooks = {facts.instance(obj) for obj in listed if facts.component(obj) == "jupyterlab"}
    served = {facts.instance(obj) for obj in listed if facts.component(obj) == COMPONENT and facts.is_available(obj)}
    return len(notebooks - served)
