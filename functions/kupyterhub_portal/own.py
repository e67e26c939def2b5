"""A person's own server: every method is told their proven e-mail and no id, so there is no other's to reach.

Each decision is made on a version of the document and written to that version only: who was deleted a moment ago
cannot start themselves, and no edit of anybody is undone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kupyterhub.domain.errors import DocumentChanged
from kupyterhub.domain.policy import Ended, Stopped, Verdict, counts_with, email_of, holder, judge, none_may_run
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain.choices import DEFAULT, Choice, current, is_allowed, own_choices
from kupyterhub_portal.domain.verdicts import verdict_of
from kupyterhub_portal.domain.words import Words, waits_for_restart, words
from kupyterhub_portal.problem import Problem, busy
from kupyterhub_portal.store import REMOVED, Store
from kupyterhub_rules.names import document_id

_TRIES = 5
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Server:
    """Somebody's server as their page shows it."""

    words: Words
    url: str | None
    can_start: bool
    can_stop: bool
    can_restart: bool
    choices: list[Choice]
    chosen: Choice


class OwnServers:
    """What people do for themselves."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def see(self, email: str) -> Server | None:
        """Give the server of this person; None where they have none and never had."""
        document = self._find(email)
        if document is None:
            return None
        verdict = verdict_of(document, self._settings, self._clock())
        told = words(document, verdict)
        ready = not told.changes and document.status.phase == "Ready" and not isinstance(verdict, Stopped | Ended)
        choices = [] if isinstance(verdict, Ended) else own_choices(self._settings, email, document)
        return Server(
            words=told,
            url=_web(document.status.proxyUrl) if ready else None,
            can_start=isinstance(verdict, Stopped),
            can_stop=not none_may_run(verdict),
            can_restart=not none_may_run(verdict) and waits_for_restart(document),
            choices=choices if len(choices) > 1 or current(document) not in choices else [],
            chosen=current(document),
        )

    def may_enrol(self, email: str) -> bool:
        """Whether the settings let this person enrol themselves."""
        return self._settings.self_enrolment and is_allowed(email, self._settings.allowed_emails)

    def enrol(self, email: str) -> None:
        """Make a document if there is none of this person; one that is there stays as it is."""
        if not self.may_enrol(email):
            raise Problem(403, "You cannot enrol yourself here", "An administrator adds people. Ask one of them.")
        if self._find(email) is None:
            self._store.create(document_id(email), {"email": email})

    def start(self, email: str) -> None:
        """Start it."""
        self._change(email, lambda _, verdict: {"state": "running"} if isinstance(verdict, Stopped) else None)

    def stop(self, email: str) -> None:
        """Stop it; who is stopped already stays so."""
        self._change(email, lambda _, verdict: None if isinstance(verdict, Stopped) else {"state": "stopped"})

    def restart(self, email: str) -> None:
        """Restart it with what was chosen since its start."""
        self._change(email, lambda _, verdict: None if isinstance(verdict, Stopped) else {"restart": True})

    def choose(self, email: str, value: str) -> None:
        """Choose profile and image, by `Choice.value`."""

        def choice(document: UserDocument, _: Verdict) -> Fields:
            for each in own_choices(self._settings, email, document):
                if each.value == value:
                    return fields_of(each)
            raise Problem(403, "That is not offered to you", "Choose one of the list, or ask an administrator.")

        self._change(email, choice)

    def _change(self, email: str, decide: Callable[[UserDocument, Verdict], Fields | None]) -> None:
        for _ in range(_TRIES):
            document = self._find(email)
            if document is None:
                raise Problem(404, "You have no server here", "It was removed in the meantime. Nothing was done.")
            verdict = judge(document, self._settings, self._clock())
            if isinstance(verdict, Ended):
                raise Problem(403, "You have no server any more", "Only an administrator can bring it back.")
            fields = decide(document, verdict)
            if fields is None:
                return
            try:
                self._store.change(document, fields)
            except DocumentChanged:
                continue
            return
        raise busy()

    def _find(self, email: str) -> UserDocument | None:
        """The document that holds the e-mail; where none does, one that did."""
        now = self._clock()
        own = self._store.get(document_id(email))
        if own and counts_with(own, email, now) and own.status.reason != "DuplicateEmail":
            return own
        found = {document.id: document for document in (*self._store.of_emails([email]), *([own] if own else []))}
        theirs = [document for document in found.values() if email_of(document) == email]
        return holder(email, theirs, now) or max(theirs, key=lambda document: document.update_time, default=None)


def fields_of(choice: Choice) -> Fields:
    """What is written for a choice; the default is no field at all."""
    return {
        "profile": REMOVED if choice.profile == DEFAULT else choice.profile,
        "image": choice.image or REMOVED,
    }


def _web(url: str | None) -> str | None:
    return url if url and url.startswith(("https://", "http://")) else None
