"""What administrators see and do. Who calls has made sure that it is one."""

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from kupyterhub.domain.errors import TransientError
from kupyterhub.domain.names import document_id
from kupyterhub.domain.policy import email_of, has_ended
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain import pasted, searching
from kupyterhub_portal.domain.choices import DEFAULT, all_choices
from kupyterhub_portal.domain.place import Place
from kupyterhub_portal.own import fields_of
from kupyterhub_portal.problem import Problem, gone
from kupyterhub_portal.store import PHASES, REMOVED, Store

PAGE = 50
_READ_TOGETHER = 300
_SEARCHED = 3000
"""So many documents are read at most to fill a page of a search."""
_COUNTED_SECONDS = 10.0
_HISTORY = 10
_BACK = ("/people", "Everybody")
_NAME = re.compile("[a-z0-9-]{1,63}")

log = logging.getLogger("kupyterhub")

Action = Literal["start", "stop", "restart", "delete"]
_FIELDS: dict[Action, dict[str, Any]] = {
    # A purge that was asked for and not yet done would be of a person who is there again.
    "start": {"state": "running", "purge": REMOVED},
    "stop": {"state": "stopped"},
    "restart": {"restart": True},
    "delete": {"state": "deleted"},
}


@dataclass(frozen=True, slots=True)
class Sought:
    """What a page of the list is of."""

    part: str = ""
    phase: str = ""
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page: people by e-mail, and where the next one begins."""

    people: list[UserDocument]
    following: Place | None


@dataclass(frozen=True, slots=True)
class Done:
    """What became of something that was done to several at once."""

    people: int
    gone: int
    """Who is not there any more, which is no failure of the others."""
    over: int
    """Whose time is over, which a start does not change."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a pasted list."""

    added: list[str]
    there: list[UserDocument]
    ended: list[UserDocument]
    """There, but deleted or expired: adding leaves them so."""
    refused: tuple[str, ...]


class Everybody:
    """The list, and what is done to several at once."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._counted: tuple[float, dict[str, int]] | None = None

    def require_seekable(self, sought: Sought) -> None:
        """Raise Problem for what cannot be sought."""
        if sought.phase and sought.phase not in PHASES:
            raise Problem(400, "There is no such state", f"It is one of {', '.join(PHASES)}.", _BACK)
        if sought.part and len(sought.part) < searching.SHORTEST:
            raise Problem(
                400,
                "That is too short to search for",
                f"Give at least {searching.SHORTEST} characters of an e-mail or a name.",
                _BACK,
            )

    def page(self, sought: Sought) -> Listing | None:
        """Give one page; None where that fails: half of the answer is under way by then."""
        try:
            return self._search(sought) if sought.part else _listing(self._read(sought, sought.after, PAGE + 1))
        except TransientError as error:
            log.warning("the portal could not list people: %s", error)
        except Exception:
            log.exception("a mistake of the portal")
        return None

    def counts(self) -> dict[str, int]:
        """Count people by phase; as it was some seconds ago, so that many who look cost little."""
        now = time.monotonic()
        if self._counted is None or now - self._counted[0] > _COUNTED_SECONDS:
            self._counted = (now, self._store.counts())
        return self._counted[1]

    def person(self, user: str) -> tuple[UserDocument, list[dict[str, Any]]]:
        """Give one person, and what happened lately; raises Problem."""
        document = self._store.get(user)
        if document is None:
            raise gone()
        return document, self._store.history(user, _HISTORY)

    def named(self, name: str) -> UserDocument | None:
        """Give whose notebook that is, by the first part of its host: the base name of the Kubernetes objects."""
        found = self._store.of_name(name) if _NAME.fullmatch(name) else []
        now = self._clock()
        holding = [each for each in found if not has_ended(each, now) and each.status.reason != "DuplicateEmail"]
        return max(holding or found, key=lambda document: document.update_time, default=None)

    def people(self, users: Sequence[str]) -> list[UserDocument]:
        """Give those who are still there, by e-mail."""
        return _by_email(self._store.get_many(users))

    def act(self, action: Action, users: Sequence[str], *, purge: bool = False) -> Done:
        """Do it to each, but start nobody whose time is over."""
        fields = _FIELDS[action] | ({"purge": True} if purge and action == "delete" else {})
        found = self._store.get_many(users) if action == "start" else []
        over = {document.id for document in found if self.is_over(document)}
        meant = [user for user in users if user not in over]
        gone = self._store.change_many(meant, fields)
        return Done(len(meant) - len(gone), len(gone), len(over))

    def is_over(self, document: UserDocument) -> bool:
        """Whether somebody's time is over: they count as deleted whatever their state says."""
        running = replace(document, fields={**document.fields, "state": "running"})
        return has_ended(running, self._clock())

    def choose(self, user: str, value: str) -> None:
        """Give somebody a profile and an image; raises Problem."""
        for choice in all_choices(self._settings):
            if choice.value == value:
                if self._store.change_many([user], fields_of(choice)):
                    raise gone()
                return
        raise Problem(400, "There is no such profile", "Choose one of the list.", _BACK)

    def add(self, text: str, profile: str) -> Added:
        """Add those of a pasted list who are not there; raises Problem for a list that is too long."""
        if profile not in self._settings.profiles:
            raise Problem(400, "There is no such profile", "Choose one of the list.", ("/people/add", "Add people"))
        read = pasted.read(text)
        if len(read.newcomers) > pasted.MOST:
            raise Problem(
                413,
                "These are too many at once",
                f"They are {len(read.newcomers)}; {pasted.MOST} can be pasted at a time. Nobody was added.",
                ("/people/add", "Add people"),
            )
        there = {email_of(each): each for each in self._there([each.email for each in read.newcomers])}
        wanted = {
            document_id(each.email): {
                "email": each.email,
                **({"displayName": each.name} if each.name else {}),
                **({"profile": profile} if profile != DEFAULT else {}),
            }
            for each in read.newcomers
            if each.email not in there
        }
        met = set(self._store.create_many(wanted)) if wanted else set()
        known = [*there.values(), *(self._store.get_many(met) if met else ())]
        now = self._clock()
        return Added(
            added=[str(fields["email"]) for user, fields in wanted.items() if user not in met],
            there=[each for each in known if not has_ended(each, now)],
            ended=[each for each in known if has_ended(each, now)],
            refused=read.refused,
        )

    def _there(self, emails: Sequence[str]) -> Iterable[UserDocument]:
        # The derived ids last: where several have an e-mail, that one is told of.
        yield from self._store.of_emails(emails)
        yield from self._store.get_many(document_id(email) for email in emails)

    def _search(self, sought: Sought) -> Listing:
        found: list[UserDocument] = []
        after, read = sought.after, 0
        # Most searches are answered by the first few; where few of those fit, more are read together.
        together = PAGE + 1
        while read < _SEARCHED:
            some = self._read(sought, after, together)
            for document in some:
                if searching.matches(document, sought.part):
                    found.append(document)
                if len(found) > PAGE:
                    return _listing(found)
                after = Place.after(document)
            if len(some) < together:
                return _listing(found)
            read += len(some)
            together = _READ_TOGETHER
        return Listing(_by_email(found), after)

    def _read(self, sought: Sought, after: Place | None, limit: int) -> list[UserDocument]:
        if not sought.part and not sought.phase:
            return self._store.everybody(after, limit)
        trigram = searching.trigram(sought.part) if sought.part else ""
        return self._store.sought(phase=sought.phase, trigram=trigram, after=after, limit=limit)


def _listing(found: list[UserDocument]) -> Listing:
    shown = found[:PAGE]
    return Listing(_by_email(shown), Place.after(shown[-1]) if len(found) > PAGE else None)


def _by_email(documents: Iterable[UserDocument]) -> list[UserDocument]:
    return sorted(documents, key=lambda document: (str(document.fields.get("email", "")).lower(), document.id))
