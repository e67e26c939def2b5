"""What is a document's in the cluster, under whatever name: what is remembered by it, and what of it has to go.

Another e-mail is another person, and a status can be lost; the objects say whose they are. reconcile.py calls this
before anybody's name is taken, and where nothing may run.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from kupyterhub.domain import live as facts
from kupyterhub.domain.claims import still_counts
from kupyterhub.domain.desired import NOTEBOOK
from kupyterhub.domain.errors import DocumentChanged
from kupyterhub.domain.phases import Seen
from kupyterhub.domain.policy import Verdict
from kupyterhub.domain.users import AT_REST, UserDocument
from kupyterhub.events import Look
from kupyterhub.holding import Names
from kupyterhub.objects import Objects
from kupyterhub.ports import Cluster, Users
from kupyterhub_rules.names import base_name


@dataclass
class Memory:
    """What earlier attempts of one look have done, so that the last leaves nothing of it behind."""

    thoroughly: bool
    """Nothing that was noted is to be relied on."""
    lists: bool
    """Objects may have names that nobody knows."""
    names: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Belongings:
    """The objects and claims of documents."""

    users: Users
    cluster: Cluster
    names: Names
    objects: Objects

    def remove_all(self, look: Look, memory: Memory, now: datetime) -> int:
        """Remove what is left of a document that is gone, but for the storage; returns how many objects."""
        claims = self.users.claims_of(look.user)
        names = {claim.name for claim in claims} | memory.names | ({base_name(look.email)} if look.email else set())
        listed = self.cluster.of_user(look.user) if memory.lists or not names else []
        memory.names |= {facts.instance(obj) for obj in listed} | names
        removed = sum(len(self.objects.remove(name, look.user)) for name in sorted(memory.names))
        if removed and self.users.get(look.user) is not None:
            raise DocumentChanged(look.user)
        emails = {look.email, *map(facts.email, listed)} - {None}
        for email in sorted(filter(None, emails)):
            self.names.tell([], waiting=email, but=look.user)
        self.names.let_go(claims, now)
        return removed

    def remembered(self, document: UserDocument, memory: Memory, now: datetime) -> UserDocument:
        """The document with what its objects say, where its status was taken away or is not to be relied on."""
        # Of a document that is as somebody created it, without a status, nothing was ever made.
        is_new = document.update_time == document.create_time and document.fields.get("status") is None
        unknown = document.status.name is None and not is_new
        if not (unknown or memory.lists):
            return document
        listed = self.cluster.of_user(document.id)
        memory.names |= {facts.instance(obj) for obj in listed}
        if memory.lists:
            claims = self.users.claims_of(document.id)
            self.names.let_go([claim for claim in claims if not still_counts(claim, document, now)], now)
        notebook = next((obj for obj in listed if facts.key(obj) == NOTEBOOK), None)
        if notebook is None or not unknown:
            return document
        status = replace(document.status, name=facts.instance(notebook), email=facts.email(notebook))
        return document.with_status(status)

    def leave(self, document: UserDocument, verdict: Verdict, memory: Memory) -> bool:
        """Another e-mail is another person: what runs under other names goes before the new name is written."""
        own = base_name(verdict.email) if verdict.email else document.status.name
        former = document.status.name
        names = (memory.names | ({former} if former else set())) - {own}
        memory.names |= {own} if own else set()
        removed = [self.objects.remove(name, document.id) for name in sorted(names)]
        return any(removed)

    def remove_own(self, document: UserDocument, seen: Seen, memory: Memory, settings: str) -> Seen:
        """Remove what runs of somebody who should not, under whatever name."""
        status = document.status
        acted_on = (status.observed, status.settings) == (document.observed, settings)
        at_rest = status.phase in AT_REST and status.startedAt is None
        if status.name and at_rest and acted_on and not memory.thoroughly:
            # That somebody is at rest is only written once all is gone.
            live = self.cluster.read_notebook(status.name)
            if live is None or facts.is_ending(live) or not facts.is_of(live, document.id):
                return seen
        names = memory.names | ({status.name} if status.name else set())
        removed = [obj for name in sorted(names) for obj in self.objects.remove(name, document.id)]
        notebook = next((obj for obj in removed if facts.key(obj) == NOTEBOOK), None)
        return replace(seen, changed=bool(removed), ended=notebook)
