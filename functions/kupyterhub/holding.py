"""Holding a name: taking it before anything is done under it, and letting those know who wait for it.

The rules are in domain/claims.py; that two never hold one is Firestore's, by one commit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from kupyterhub.domain.claims import Claim, acted_before, has_given_up, is_purged, still_counts
from kupyterhub.domain.policy import counts_with
from kupyterhub.domain.users import Status, UserDocument
from kupyterhub.ports import Bus, Record, Users
from kupyterhub_rules.names import base_name


@dataclass(frozen=True)
class Hold:
    """How it stands with a document and the name of its e-mail."""

    document: UserDocument
    """Its newest version."""
    other: str | None = None
    """The document that holds the name instead."""
    purged: bool = False
    """What was kept under the name is being removed just now; until then nobody may have it."""
    fresh: bool = False
    """Nobody ever held the name before, and nobody has left anything running under it, as far as is known."""


@dataclass(frozen=True)
class Names:
    """Claims of base names among documents."""

    users: Users
    bus: Bus

    def hold(self, document: UserDocument, email: str, record: Record, now: datetime) -> Hold:
        """Make sure that the document holds the name of its e-mail; costs one read where it does.

        Where it does not, the name is taken, and `record` written, whose status is made to say so.
        """
        name, before = base_name(email), document.status
        claim = self.users.claim(name)
        if claim and is_purged(claim, now) and not has_given_up(claim, document, now):
            return Hold(document, purged=True)
        mine = claim is not None and claim.user == document.id and not claim.purging
        if mine and (before.email, before.name) == (email, name) and before.emailSince is not None:
            return Hold(document)
        waiting: list[str] = []
        if not (claim and claim.user):
            others = [each for each in self.users.with_status_email(email) if each.id != document.id]
            if other := acted_before(document, email, others, now):
                # Who believes to hold it without a claim takes it then.
                self.tell([other])
                return Hold(document, other=other)
            waiting = [each.id for each in others if _is_concerned(each)]
        since = claim.since if claim and mine else _since(document, email)
        if before.emailSince is None:
            # What a former document of this id held, this one has held since it was made; one that was put back keeps
            # its status.
            since = max(since, document.create_time)
        # One that was broken off.
        purging = claim is not None and claim.purging
        taken = self.users.take(
            document,
            name,
            replace(record, status=replace(record.status, email=email, name=name, emailSince=since)),
            lambda holder: holder.id if holder and counts_with(holder, email, now) and not purging else None,
            before=claim,
            since=since,
        )
        if isinstance(taken, str):
            return Hold(document, other=taken)
        former = [claim.user] if claim and claim.user else []
        self.tell([*former, *waiting], waiting=email if former else None, but=document.id)
        return Hold(taken, fresh=claim is None and before == Status() and not waiting)

    def tell(self, users: Iterable[str], *, waiting: str | None = None, but: str = "") -> None:
        """Let others look at how it stands: some users, and those who wait for an e-mail."""
        waiters = [d.id for d in self.users.with_status_email(waiting) if _is_concerned(d)] if waiting else []
        if told := sorted({*users, *waiters} - {but}):
            self.bus.ask_to_reconcile(told)

    def is_held(self, name: str, user: str) -> bool:
        """Whether a document holds a name, by its claim."""
        claim = self.users.claim(name)
        return claim is not None and claim.user == user

    def let_go(self, claims: Iterable[Claim], now: datetime) -> None:
        """Let go of claims whose holder is gone, or is somebody else by now."""
        for claim in claims:
            self.users.release(claim, partial(_has_rightly, claim, now))

    def release(self, document: UserDocument, now: datetime) -> Claim | None:
        """The claim that goes with the next status, for the document no longer counts; those who wait are told.

        They are told before, since they may take the name from who does not count: a kill in between harms nothing.
        """
        before = document.status
        if not (before.email and before.name and before.emailSince):
            return None
        self.tell([], waiting=before.email, but=document.id)
        claim = self.users.claim(before.name)
        return claim if claim and claim.user == document.id and not is_purged(claim, now) else None


def _has_rightly(claim: Claim, now: datetime, document: UserDocument | None) -> bool:
    return still_counts(claim, document, now)


def _since(document: UserDocument, email: str) -> datetime:
    """Since when a document counts with an e-mail: for as long as it says, if it acted with it before."""
    before = document.status
    if before.email == email and before.emailSince and not _waits(document):
        return before.emailSince
    return document.create_time if before == Status() else document.update_time


def _waits(document: UserDocument) -> bool:
    return document.status.reason == "DuplicateEmail"


def _is_concerned(document: UserDocument) -> bool:
    """Whether it waits for the name, or says that something is left running under it."""
    return _waits(document) or document.status.startedAt is not None
