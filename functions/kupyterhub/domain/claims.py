"""Who holds a base name, and with it an e-mail: the rules of `names/{name}`, which one document at a time has.

A claim is taken and released in the same commit as its holder's status, so there is one holder by construction.
Only who holds a name acts on its objects. A holder that no longer counts as a user with the e-mail is taken over
from.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kupyterhub.domain.policy import email_of, has_ended, holder
from kupyterhub.domain.users import UserDocument
from kupyterhub_rules.names import base_name

PURGE_LASTS = timedelta(minutes=5)
"""For so long after each of its looks nobody takes a name whose storage is being purged."""

_LOOK_LASTS = timedelta(seconds=10)


@dataclass(frozen=True)
class Claim:
    """One version of `names/{name}`."""

    name: str
    user: str
    """The id of the document that holds it; empty where nobody's storage is being purged."""
    since: datetime
    update_time: datetime
    purging: bool = False
    """What is kept under the name is about to go: nobody starts on it."""


def is_purged(claim: Claim, now: datetime) -> bool:
    """Whether somebody is at the storage of this name just now."""
    return claim.purging and abs(now - claim.since) < PURGE_LASTS


def has_given_up(claim: Claim, document: UserDocument, now: datetime) -> bool:
    """Whether a document purges no more under its own claim: it asks for something else by now.

    A look that began before it did is over, or finds that the claim is another one before it takes anything.
    """
    return claim.user == document.id and now - max(claim.since, document.update_time) > _LOOK_LASTS


def holds_on(claim: Claim, now: datetime) -> bool:
    """Whether a purge holds its name for long enough to go on, without taking it anew."""
    return claim.purging and now - claim.since < PURGE_LASTS / 2


def acted_before(document: UserDocument, email: str, others: list[UserDocument], now: datetime) -> str | None:
    """Which other document keeps this one from taking a name that nobody holds; None where it may take it.

    Nobody held it yet, or the claim was lost, as in a restore. `others` are whose status has the e-mail: who acted
    with it before keeps it.
    """
    # What this one acted with may be another e-mail.
    concerned = [document, *others] if document.status.email == email else others
    acted = [each for each in concerned if each.status.emailSince and each.status.reason != "DuplicateEmail"]
    first = holder(email, acted, now)
    return None if first is None or first.id == document.id else first.id


def still_counts(claim: Claim, document: UserDocument | None, now: datetime) -> bool:
    """Whether the document that a claim names counts as a user with that name, or is purging what is kept there."""
    if is_purged(claim, now):
        return True
    email = email_of(document) if document and not has_ended(document, now) else None
    return email is not None and base_name(email) == claim.name
