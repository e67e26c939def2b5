"""`resync`: what no event said. Each minute those who are due; each hour everybody, compared with the cluster."""

from dataclasses import dataclass
from typing import Literal

from kupyterhub.domain.differs import compare
from kupyterhub.events import Look
from kupyterhub.reconcile import Outcome, Reconciler
from kupyterhub.shared_agent import SharedAgent


@dataclass(frozen=True)
class Resync:
    """Finds the users who need a look, and lets each be looked at by a message of its own."""

    reconciler: Reconciler

    def run(self, mode: Literal["due", "all"]) -> list[Outcome]:
        """Publish `reconcile-user` for each user that needs a look; raises TransientError."""
        return self._due() if mode == "due" else self._all()

    def _due(self) -> list[Outcome]:
        users = self.reconciler.users.due(self.reconciler.clock())
        self.reconciler.bus.ask_to_reconcile(users)
        return [Outcome("*", None, f"resync due: {len(users)} to look at")]

    def _all(self) -> list[Outcome]:
        # The cluster first: a user who is enrolled between the two listings has no objects in the first.
        deployments = self.reconciler.cluster.deployments()
        documents = list(self.reconciler.users.every())
        found = compare(deployments, documents, self.reconciler.settings, self.reconciler.clock())
        # Before anybody is looked at: who is to be served by the shared agent keeps their own until it is available.
        agents = SharedAgent(self.reconciler.cluster, self.reconciler.installation).settle(deployments)
        self.reconciler.bus.ask_to_reconcile(found.differing)
        # A look reads the document once more by itself, and only what it says then removes anything.
        swept = [self.reconciler.reconcile(Look(user, list_objects=True)) for user in found.strays]
        summary = f"resync all: {len(documents)} documents, {len(found.differing)} to look at, {len(swept)} swept"
        return [Outcome("*", None, "; ".join(filter(None, (summary, found.halted, agents)))), *swept]
