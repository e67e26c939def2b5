"""What people do with their documents, with messages and with kubectl, as chance has it, and the events of that."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import requests
from google.api_core.exceptions import Aborted
from google.api_core.retry import Retry, if_exception_type

from cluster.controller.alone import Alone
from cluster.controller.faulty_functions import Deliveries, Event, answered, looked_at
from cluster.controller.system import Person
from kupyterhub.domain.policy import email_of
from kupyterhub.domain.users import UserDocument
from kupyterhub.events import Deletion, Look
from kupyterhub_rules.names import base_name
from twins.users import REMOVED

_OBJECTS = (
    "api/v1/namespaces/{}/services/jupyterlab-{}",
    "api/v1/namespaces/{}/secrets/jupyterlab-{}",
    "apis/apps/v1/namespaces/{}/deployments/agent-{}",
    "apis/apps/v1/namespaces/{}/deployments/jupyterlab-{}",
)
# The emulator keeps others waiting for a transaction of which nothing is heard any more.
_PATIENTLY = Retry(if_exception_type(Aborted), initial=0.5, timeout=120)


@dataclass
class Crowd:
    """Some people, who are never sure of what they want."""

    alone: Alone
    deliveries: Deliveries
    chance: Random
    people: list[Person]
    lines: list[str] = field(default_factory=list)
    """What they did, for whoever has to understand it."""
    purged: set[str] = field(default_factory=set)
    """Base names whose storage somebody asked to remove."""

    def act(self) -> None:
        """One of them does one thing."""
        who = self.chance.choice(self.people)
        acts, weights = zip(*self._acts.items(), strict=True)
        act = self.chance.choices(acts, weights)[0]
        self.lines.append(f"{act.__name__} {who.user}")
        act(who)

    def enrol(self, who: Person) -> None:
        self._write(who, state="running", profile="default", purge=REMOVED, email=self._email_or_own(who))

    @property
    def _acts(self) -> dict[Callable[[Person], None], int]:
        return {
            self.enrol: 6,
            self._swap: 3,
            self._covet: 1,
            self._stop: 3,
            self._restart: 2,
            self._delete: 2,
            self._purge: 2,
            self._remove: 2,
            self._misspell: 2,
            self._change_profile: 2,
            self._break: 3,
            self._delete_by_message: 2,
            self._wake: 6,
            self.ask_again: 1,
            self._resync: 1,
        }

    def _swap(self, who: Person) -> None:
        other = self.chance.choice(self.people)
        ours, theirs = self._email_or_own(who), self._email_or_own(other)
        self._write(who, email=theirs)
        self._write(other, email=ours)

    def _covet(self, who: Person) -> None:
        self._write(who, email=self._email_or_own(self.chance.choice(self.people)))

    def _stop(self, who: Person) -> None:
        self._write(who, state="stopped", purge=REMOVED)

    def _restart(self, who: Person) -> None:
        self._write(who, restart=True)

    def _delete(self, who: Person) -> None:
        self._write(who, state="deleted")

    def _purge(self, who: Person) -> None:
        self._write(who, state="deleted", purge=True)

    def _remove(self, who: Person) -> None:
        if document := self._document(who):
            _PATIENTLY(self.alone.remove)(who.user)
            self._tell(Look(who.user, email=document.status.email))

    def _misspell(self, who: Person) -> None:
        self._write(who, email="ada at example.com")

    def _change_profile(self, who: Person) -> None:
        self._write(who, profile=self.chance.choice(["big", "default", "none such"]))

    def _break(self, who: Person) -> None:
        name = base_name(self._email_or_own(who))
        with suppress(requests.HTTPError):  # there is none
            self.alone.kube.delete(self.chance.choice(_OBJECTS).format(self.alone.namespace, name))

    def _delete_by_message(self, who: Person) -> None:
        purge = self.chance.random() < 0.5
        deletion = Deletion(datetime.now(UTC), email=self._email_or_own(who), purge=purge)
        if purge:
            self.purged.add(base_name(deletion.email or ""))
        self._add(Event(f"delete-user {deletion.email}", lambda instance: instance.removal.delete(deletion)))

    def _wake(self, who: Person) -> None:
        """The node runs their pods, and the proxy announces it."""
        there = Person(who.user, self._email_or_own(who))
        self.alone.kube.run_pods(there.name, self.alone.namespace)
        self._tell(Look(who.user, announcement=self.alone.announcement(there)))

    def ask_again(self, who: Person) -> None:
        self._add(answered(Look(who.user, thoroughly=True)))

    def _resync(self, who: Person) -> None:
        self._add(Event("resync due", lambda instance: instance.resync.run("due")))
        self._add(Event("resync all", lambda instance: instance.resync.run("all")))

    def _write(self, who: Person, **fields: Any) -> None:
        document = self._document(who)
        if fields.get("purge") is True or (document and document.wishes.purge):
            emails = {fields.get("email"), *((document.status.email, email_of(document)) if document else ())}
            self.purged |= {base_name(email) for email in emails if isinstance(email, str)}
        _PATIENTLY(self.alone.set)(who.user, **fields)
        self._tell(Look(who.user))

    def _tell(self, look: Look) -> None:
        self._add(looked_at(look))

    def _add(self, event: Event) -> None:
        self.deliveries.add(event, self.chance.choice([1, 1, 2, 3]))

    def _email_or_own(self, who: Person) -> str:
        document = self._document(who)
        return (email_of(document) if document else None) or who.email

    def _document(self, who: Person) -> UserDocument | None:
        return self.alone.users.get(who.user)
