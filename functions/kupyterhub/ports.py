"""What the controller asks of the systems outside; adapters/ has one class for each of these."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kupyterhub.domain.live import Object
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.users import Status, UserDocument


@dataclass(frozen=True)
class Applied:
    """The object as the API server answered, and whether it did not exist before."""

    live: Object
    created: bool


class Users(Protocol):
    """The `users` collection. Every method may raise TransientError."""

    def get(self, user: str) -> UserDocument | None:
        """The document as it is now; None where there is none."""

    def write(self, document: UserDocument, status: Status, **changed: Any) -> UserDocument:
        """Replace `status`, set or (None) remove other fields, only if the document is still this version.

        A change of phase is kept in the document's `history`. Returns the new version; raises DocumentChanged.
        """

    def with_status_email(self, email: str) -> list[UserDocument]:
        """The documents whose `status.email` it is."""

    def with_email(self, spellings: Iterable[str]) -> list[UserDocument]:
        """The documents whose `email` is stored in one of these spellings."""

    def due(self, now: datetime) -> list[str]:
        """Ids of the documents whose `status.nextLookAt` has passed."""

    def every(self) -> Iterator[UserDocument]:
        """All documents; raises TransientError rather than ending early."""

    def forget_observed(self, user: str) -> None:
        """Remove `status.observed`, so that the next look asks again who holds the e-mail.

        It always changes the document: the write of a look that is under way is then refused.
        """


class Cluster(Protocol):
    """The user objects of one namespace. Every method may raise TransientError."""

    def read_notebook(self, name: str) -> Object | None:
        """The Deployment `jupyterlab-<name>`."""

    def read_shared_agent(self) -> Object | None:
        """The Deployment `agent`."""

    def apply(self, manifest: Object) -> Applied:
        """Make the object be so, by server-side apply as `kupyterhub`."""

    def create(self, manifest: Object) -> Applied | None:
        """Create the object; None where one of that name exists, which is left as it is.

        Raises TransientError where the one that exists is being deleted: it must be gone first.
        """

    def user_objects(self, selector: str) -> list[Object]:
        """Deployments, Services, Secrets and ServiceAccounts by a label selector."""

    def deployments(self) -> list[Object]:
        """Every Deployment of users, and the shared agent's; raises TransientError rather than answering a part."""

    def pods(self, selector: str) -> list[Object]:
        """Pods by a label selector."""

    def delete(self, live: Object) -> None:
        """Delete the object if it is still this version; one that is gone is success. Raises ObjectChanged."""

    def read_claim(self, name: str) -> Object | None:
        """The PersistentVolumeClaim `home-<name>`."""

    def resize_claim(self, name: str, size: str) -> None:
        """Ask for a disk to be made bigger; one whose StorageClass makes none bigger stays as it is."""

    def delete_claim(self, name: str) -> bool:
        """Ask for the PersistentVolumeClaim to go; True once it is gone."""


class Storage(Protocol):
    """Where notebooks are kept: one of the kinds of `storage.kind`. Every method may raise TransientError."""

    def make(self, user: UserDocument, wanted: Wanted) -> bool:
        """Make a person's storage what the profile says, if it is not yet; True where there was none.

        What is in it stays, and it never becomes smaller. Raises StorageRefused.
        """

    def delete(self, name: str) -> bool:
        """Ask for a person's storage to go; True once it is gone."""


class Bus(Protocol):
    """Pub/Sub. `ask_to_reconcile` may raise TransientError."""

    def ask_to_reconcile(self, users: Iterable[str]) -> None:
        """Publish a `reconcile-user` for each, and return once Pub/Sub has them."""

    def agent_events(self) -> str:
        """Full name of the topic that agents publish to in hosted mode."""


class Clock(Protocol):
    """The time now, aware and in UTC."""

    def __call__(self) -> datetime:
        """Now."""
