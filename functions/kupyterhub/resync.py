"""`resync`: what no event said. Each minute those who are due; each hour everybody, compared with the cluster."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from kupyterhub.domain.differs import Cluster, Comparing, Comparison
from kupyterhub.events import Look
from kupyterhub.reconcile import Outcome, Reconciler
from kupyterhub.shared_agent import SharedAgent

HELD = "PolicyHeld"


@dataclass(frozen=True)
class Resync:
    """Finds the users who need a look, and lets each be looked at by a message of its own."""

    reconciler: Reconciler

    def run(self, mode: Literal["due", "all"]) -> list[Outcome]:
        """Publish `reconcile-user` for each user that needs a look; raises TransientError."""
        return [self._due() if mode == "due" else self._all()]

    def _due(self) -> Outcome:
        now, users = self.reconciler.clock(), self.reconciler.users
        due, settings, approval = users.due(now), self.reconciler.installation.hash, users.approval()
        # Whom a change of settings concerns is looked at by and by, once a resync has seen how many it would stop.
        approved = approval is not None and approval.settings == settings and approval.given
        slowly = users.of_other_settings(settings, self._at_once) if approved else []
        asked = self._ask([*due, *slowly[: max(0, self._at_once - len(due))]])
        return Outcome("*", None, f"resync due: {asked} to look at")

    def _all(self) -> Outcome:
        # The cluster first: a user who is enrolled between the two listings has no objects in the first.
        users, now = self.reconciler.users, self.reconciler.clock()
        cluster = Cluster()
        for obj in self.reconciler.cluster.every():
            cluster.add(obj)
        claims = {claim.name: claim for claim in users.every_claim()}
        installation = self.reconciler.installation
        found = Comparing(cluster, claims, installation, now).compare(users.every())
        users.approve(found.approval)
        # Before anybody is looked at: who is to be served by the shared agent keeps their own until it is available.
        agents = SharedAgent(self.reconciler.cluster, installation).settle(cluster.agents)
        asked = self._ask(found.asking) + self._ask(found.damaged, thoroughly=True)
        asked += self._ask(found.other_settings[: self._at_once])
        # A look reads the document once more by itself, and only what it says then removes anything.
        swept = self._ask(found.strays, thoroughly=True)
        summary = f"resync all: {asked} to look at, {swept} to sweep"
        held = _held(found)
        note = "; ".join(filter(None, (summary, held, found.halted, agents)))
        return Outcome("*", None, note, reason=HELD if held else None)

    def answer(self, look: Look) -> Outcome:
        """Look at a user whom a message asks for; until this has worked, no other message is sent to them."""
        outcome = self.reconciler.reconcile(look)
        self.reconciler.users.note_answered(look.user, self.reconciler.clock())
        return outcome

    @property
    def _at_once(self) -> int:
        return self.reconciler.settings.limits.looks_per_minute

    def _ask(self, wanted: Iterable[str], *, thoroughly: bool = False) -> int:
        """Ask for looks at users, but for those to whom a message is on its way already."""
        users, now, wanted = self.reconciler.users, self.reconciler.clock(), list(dict.fromkeys(wanted))
        under_way = users.asked(wanted, now, thoroughly=thoroughly) if wanted else set()
        asked = [user for user in wanted if user not in under_way]
        if asked:
            self.reconciler.bus.ask_to_reconcile(asked, thoroughly=thoroughly)
            users.note_asked(asked, now, thoroughly=thoroughly)
        return len(asked)


def _held(found: Comparison) -> str | None:
    approval = found.approval
    if approval.given:
        return None
    return (
        f"the new settings would stop {approval.stops} of {approval.running} who run, so nobody is stopped: mend "
        "allowedEmails, or raise limits.stoppedBySettings to say that it is meant"
    )
