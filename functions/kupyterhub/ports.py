"""What the controller asks of the systems outside; adapters/ has one class for each of these."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kupyterhub.domain.claims import Claim
from kupyterhub.domain.differs import Approval, Listed
from kupyterhub.domain.live import Object
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.users import Change, Status, UserDocument


@dataclass(frozen=True)
class Record:
    """What is written into a document: the whole status, and what goes with it in the same commit."""

    status: Status
    history: tuple[Change, ...] = ()
    fields: tuple[tuple[str, Any], ...] = ()
    """Other fields to set or (None) to remove."""
    release: Claim | None = None
    """A claim that goes with it, if it is still this version."""


class Users(Protocol):
    """The `users` collection, and what is kept beside it. Every method may raise TransientError."""

    def get(self, user: str, at: datetime | None = None) -> UserDocument | None:
        """The document as it is now, or was at a time; None where there is none, or where that is not known."""

    def write(self, document: UserDocument, record: Record) -> UserDocument:
        """Write a status only if the document is still this version.

        Returns the new version; raises DocumentChanged, and DocumentRefused for what Firestore never takes.
        """

    def claim(self, name: str) -> Claim | None:
        """Who holds a base name; one that a person has made unreadable names nobody."""

    def take(  # noqa: PLR0913 - what is written, and when it may be
        self,
        document: UserDocument,
        name: str,
        record: Record,
        blocked: Callable[[UserDocument | None], str | None],
        *,
        before: Claim | None,
        since: datetime,
        purging: bool = False,
    ) -> UserDocument | str:
        """Write a status and the claim of a name in one commit, unless `blocked` says who else has it.

        `before` is the claim that was read. `blocked` is given its holder's document, where that is another one.
        Returns the document's new version, or what `blocked` said; raises DocumentChanged, also for the claim.
        """

    def purge_for_nobody(
        self, name: str, now: datetime, counts: Callable[[Claim, UserDocument], bool]
    ) -> Claim | None:
        """Claim a name that no document holds, so that its storage can go; None where `counts` says that one does."""

    def release(self, claim: Claim, counts: Callable[[UserDocument | None], bool]) -> None:
        """Let go of a claim, if it is still this version and `counts` does not say that its holder has it rightly."""

    def has_seen(self, user: str, event: str) -> bool:
        """Whether a document's history has an entry that this event caused."""

    def claims_of(self, user: str) -> list[Claim]:
        """The names that a document holds."""

    def with_status_email(self, email: str) -> list[UserDocument]:
        """The documents whose `status.email` it is."""

    def with_email(self, email: str) -> list[UserDocument]:
        """The documents whose `email` is this lower-case one, however it is spelled there."""

    def due(self, now: datetime) -> list[str]:
        """Ids of the documents whose `status.nextLookAt` has passed."""

    def of_other_settings(self, settings: str, most: int) -> list[str]:
        """Ids of documents, at most so many, that were looked at with other settings."""

    def every(self) -> Iterator[UserDocument]:
        """All documents, of each what is compared; raises TransientError rather than ending early."""

    def every_claim(self) -> Iterator[Claim]:
        """All claims; raises TransientError rather than ending early."""

    def asked(self, users: list[str], now: datetime, *, thoroughly: bool) -> set[str]:
        """Of some users those whom a `reconcile-user` message is on its way to, one that asks for as much."""

    def note_asked(self, users: list[str], now: datetime, *, thoroughly: bool) -> None:
        """Note that such a message is on its way to each of them."""

    def note_answered(self, user: str, now: datetime) -> None:
        """Note that a message to this user has come, and did what it asked for."""

    def approval(self) -> Approval | None:
        """What the last resync said of what new settings stop."""

    def approve(self, approval: Approval) -> None:
        """Keep what this resync says of it."""


class Cluster(Protocol):
    """The user objects of one namespace.

    Every method may raise TransientError, and those that write ClusterRefused, and ObjectChanged where the object is
    not the one that was read. What is not the notebook's Deployment is read as its metadata alone.
    """

    def read_notebook(self, name: str) -> Object | None:
        """The Deployment `jupyterlab-<name>`."""

    def read_agent(self, name: str | None = None) -> Object | None:
        """The Deployment `agent-<name>`, or the shared one, `agent`."""

    def read(self, kind: str, name: str) -> Object | None:
        """The metadata of an object."""

    def of_name(self, name: str) -> list[Object]:
        """The metadata of all objects of a base name, storage left out: each has a name that can be computed."""

    def of_user(self, document: str) -> list[Object]:
        """The metadata of one document's objects, whatever their name. It costs the API server a walk over all."""

    def create(self, manifest: Object) -> Object | None:
        """Create the object; None where one of that name exists, which is left as it is.

        Raises BeingDeleted where the one that exists is being deleted: it must be gone first.
        """

    def apply(self, manifest: Object, read: Object) -> Object:
        """Make the object be so, by server-side apply as `kupyterhub`, if it is still the one that was read."""

    def annotate(self, manifest: Object, read: Object) -> Object:
        """Give the object the manifest's labels and annotations, if it is still the one that was read."""

    def delete(self, read: Object) -> None:
        """Delete the object if it is still the one that was read; one that is gone is success.

        A notebook's Deployment stays, as being deleted, until its last pod is gone.
        """

    def every(self) -> Iterator[Listed]:
        """What is compared of every object of users that is not being deleted; raises rather than ending early."""

    def pods(self, name: str) -> list[Object]:
        """The pods of one base name."""

    def warnings(self, pod: Object) -> list[Object]:
        """The Events of type Warning about a pod."""

    def tell(self, live: Object, *, reason: str, message: str) -> None:
        """Make an Event about an object. Nothing depends on it: what goes wrong is left at that."""

    def read_claim(self, name: str) -> Object | None:
        """The PersistentVolumeClaim `home-<name>`."""

    def resize_claim(self, name: str, size: str) -> None:
        """Ask for a disk to be made bigger; one whose StorageClass makes none bigger stays as it is."""

    def delete_claim(self, read: Object) -> bool:
        """Ask for the PersistentVolumeClaim that was read to go; True once it is gone."""


class Storage(Protocol):
    """Where notebooks are kept: one of the kinds of `storage.kind`. Every method may raise TransientError."""

    def make(self, user: UserDocument, wanted: Wanted) -> bool:
        """Make a person's storage what the profile says, if it is not yet; True where there was none.

        What is in it stays, and it never becomes smaller. Raises StorageRefused.
        """

    def delete(self, name: str, still: Callable[[], None]) -> bool:
        """Ask for a person's storage to go; True once it is gone.

        `still` raises where it may not go any more. It is asked after what goes was read: what somebody else has
        made since then stays.
        """


class Bus(Protocol):
    """Pub/Sub. `ask_to_reconcile` may raise TransientError."""

    def ask_to_reconcile(self, users: Iterable[str], *, thoroughly: bool = False) -> None:
        """Publish a `reconcile-user` for each, and return once Pub/Sub has them."""

    def agent_events(self) -> str:
        """Full name of the topic that agents publish to in hosted mode."""


class Clock(Protocol):
    """The time now, aware and in UTC."""

    def __call__(self) -> datetime:
        """Now."""
