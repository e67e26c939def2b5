"""Purge: the one way in which a user's notebooks go, and only when nobody else has the e-mail."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kupyterhub.domain import labels
from kupyterhub.domain.names import base_name
from kupyterhub.domain.policy import Ended, counts_with, email_of
from kupyterhub.domain.users import UserDocument
from kupyterhub.ports import Cluster, Storage, Users


@dataclass(frozen=True)
class Purge:
    """How far a purge has come: `done` clears the flag, `pending` keeps it and asks for another look."""

    done: bool = False
    pending: bool = False
    message: str | None = None


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
        if any(other.id != document.id for other in self.counting(email, now)):
            return Purge(done=True, message=f"Deleted. The notebooks stay: another document has the e-mail {email}.")
        if self.gone(base_name(email)):
            return Purge(done=True, message="Deleted, and the notebooks purged.")
        return Purge(pending=True, message="Deleted. The notebooks go as soon as nothing uses them any more.")

    def counting(self, email: str, now: datetime) -> list[UserDocument]:
        """The documents that count as users with this lower-case e-mail, whether or not they were looked at."""
        found = {d.id: d for d in [*self.users.with_status_email(email), *self.users.with_email({email})]}
        return [d for d in found.values() if counts_with(d, email, now)]

    def gone(self, name: str) -> bool:
        """Delete the storage of a name if no pod may still write to it; True once it is gone."""
        if self.cluster.pods(labels.of_name(name)):
            return False
        return all(storage.delete(name) for storage in self.storages)
