"""What administrators see and do of people whom they know. Who calls has made sure that it is one."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from kupyterhub.domain.policy import email_of, has_ended
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain import pasted
from kupyterhub_portal.domain.choices import DEFAULT, all_choices
from kupyterhub_portal.domain.lately import lately
from kupyterhub_portal.listing import by_email
from kupyterhub_portal.own import fields_of
from kupyterhub_portal.problem import EVERYBODY, Problem, gone
from kupyterhub_portal.store import REMOVED, Store
from kupyterhub_rules.names import document_id

_HISTORY = 10
_NAME = re.compile("[a-z0-9-]{1,63}")

Action = Literal["start", "stop", "restart", "delete"]
_FIELDS: dict[Action, dict[str, Any]] = {
    # A purge that was asked for and not yet done would be of a person who is there again.
    "start": {"state": "running", "purge": REMOVED},
    "stop": {"state": "stopped"},
    "restart": {"restart": True},
    "delete": {"state": "deleted"},
}


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
    """One of them, several at once, and who is added."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    def person(self, user: str) -> tuple[UserDocument, list[dict[str, Any]]]:
        """Give one person, and what happened lately; raises Problem."""
        document = self._store.get(user)
        if document is None:
            raise gone()
        return document, lately(document, self._store.history(user, _HISTORY), _HISTORY)

    def named(self, name: str) -> UserDocument | None:
        """Give whose notebook that is, by the first part of its host: the base name of the Kubernetes objects."""
        found = self._store.of_name(name) if _NAME.fullmatch(name) else []
        now = self._clock()
        holding = [each for each in found if not has_ended(each, now) and each.status.reason != "DuplicateEmail"]
        return max(holding or found, key=lambda document: document.update_time, default=None)

    def people(self, users: Sequence[str]) -> list[UserDocument]:
        """Give those who are still there, by e-mail."""
        return by_email(self._store.get_many(users))

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
        raise Problem(400, "There is no such profile", "Choose one of the list.", EVERYBODY)

    def add(self, text: str, profile: str) -> Added:
        """Add those of a pasted list who are not there; raises Problem for a list that is too long."""
        if profile not in self._settings.profiles:
            raise Problem(400, "There is no such profile", "Choose one of the list.", ("/people/add", "Add people"))
        read = pasted.read(text)
        if len(read.newcomers) > pasted.MOST:
            raise Problem(
                413,
                "These are too many at once",
                f"They are {len(read.newcomers):,}. {pasted.TOO_MANY}",
                ("/people/add", "Add people"),
            )
        now = self._clock()
        # Where several have an e-mail, one that counts is told of.
        found = sorted(
            self._there([each.email for each in read.newcomers]), key=lambda each: not has_ended(each, now)
        )
        there = {email_of(each): each for each in found}
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
        return Added(
            added=[str(fields["email"]) for user, fields in wanted.items() if user not in met],
            there=[each for each in known if not has_ended(each, now)],
            ended=[each for each in known if has_ended(each, now)],
            refused=read.refused,
        )

    def _there(self, emails: Sequence[str]) -> Iterable[UserDocument]:
        yield from self._store.of_emails(emails)
        yield from self._store.get_many(document_id(email) for email in emails)
