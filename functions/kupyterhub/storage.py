"""Purge: the one way in which a user's notebooks go, and only when nobody else has the e-mail.

Whoever purges holds the name meanwhile, so nobody can start on what is about to go.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kupyterhub.domain import live as facts
from kupyterhub.domain.claims import Claim, holds_on, is_purged
from kupyterhub.domain.errors import DocumentChanged
from kupyterhub.domain.policy import Ended, counts_with, email_of
from kupyterhub.domain.users import UserDocument
from kupyterhub.ports import Cluster, Record, Storage, Users
from kupyterhub_rules.names import base_name

_USED = "Deleted. The notebooks go within a minute or two of the end of what still uses them."


@dataclass(frozen=True)
class Purge:
    """How far a purge has come: `done` clears the flag, `pending` keeps it and asks for another look."""

    done: bool = False
    pending: bool = False
    message: str | None = None
    document: UserDocument | None = None
    """The version that holding the name for the purge has made."""
    claim: Claim | None = None
    """What is let go of when this is written down."""


@dataclass(frozen=True)
class Purger:
    """Removes people's storage of every kind: a profile may have been of another one before."""

    users: Users
    cluster: Cluster
    storages: Iterable[Storage]

    def purge(self, document: UserDocument, verdict: Ended, now: datetime) -> Purge:
        """Go on with the purge that a deleted user's document asks for, if it does."""
        if not verdict.purge:
            return Purge()
        # The document's own, for the storage of a former e-mail stays; a malformed one is what it was before.
        email = email_of(document) or document.status.email
        if email is None:
            return Purge(done=True, message="Deleted. There was no e-mail, so there are no notebooks to purge.")
        name = base_name(email)
        claim = self.users.claim(name)
        if self.cluster.pods(name) and not self._why_they_stay(document, email, now):
            # Nothing goes as long as they are there, and who comes back meanwhile need not wait for it.
            return Purge(pending=True, message=_USED)
        if claim and claim.user != document.id and is_purged(claim, now):
            return Purge(pending=True, message="Deleted. The notebooks are being purged.")
        if claim is None or claim.user != document.id or not holds_on(claim, now):
            held = self.users.take(
                document,
                name,
                Record(document.status),
                lambda holder: holder.id if holder and _has(holder, document, email, now) else None,
                before=claim,
                since=now,
                purging=True,
            )
            if isinstance(held, str):
                why = f"Deleted. The notebooks stay: another document has the e-mail {email}."
                return Purge(done=True, message=why)
            document, claim = held, self.users.claim(name)
            if claim is None or claim.user != document.id:
                raise DocumentChanged(f"names/{name}")
        return self._of_holder(document, claim, email, now)

    def _of_holder(self, document: UserDocument, claim: Claim, email: str, now: datetime) -> Purge:
        if stay := self._why_they_stay(document, email, now):
            return Purge(done=True, message=stay, document=document, claim=claim)
        if self.gone(claim):
            return Purge(done=True, message="Deleted, and the notebooks purged.", document=document, claim=claim)
        return Purge(pending=True, message=_USED, document=document)

    def _why_they_stay(self, document: UserDocument, email: str, now: datetime) -> str | None:
        """What is said where somebody else has the e-mail, or still runs on what is kept under it."""
        if any(_has(other, document, email, now) for other in self.counting(email, now)):
            return f"Deleted. The notebooks stay: another document has the e-mail {email}."
        if user := self.runs_for(base_name(email), but=document.id):
            return f"Deleted. The notebooks stay: the document {user!r}, whose e-mail it was, still runs on them."
        return None

    def runs_for(self, name: str, but: str = "") -> str | None:
        """Whose notebook runs under the name, where it is left running though their e-mail is none any more."""
        live = self.cluster.read_notebook(name)
        return facts.user(live) if live and not facts.is_of(live, but) and not facts.is_ending(live) else None

    def counting(self, email: str, now: datetime) -> list[UserDocument]:
        """The documents that count as users with this lower-case e-mail, whether or not they were looked at."""
        found = {d.id: d for d in [*self.users.with_status_email(email), *self.users.with_email(email)]}
        return [d for d in found.values() if counts_with(d, email, now)]

    def gone(self, claim: Claim) -> bool:
        """Delete the storage of a name if no pod may still write to it; True once it is gone.

        Raises DocumentChanged where the name was let go of meanwhile: then the storage may be the next person's.
        """

        def still() -> None:
            if self.users.claim(claim.name) != claim:
                raise DocumentChanged(f"names/{claim.name}")

        if self.cluster.pods(claim.name):
            return False
        return all(storage.delete(claim.name, still) for storage in self.storages)


def _has(other: UserDocument, document: UserDocument, email: str, now: datetime) -> bool:
    return other.id != document.id and counts_with(other, email, now)
