"""What commands ask of the outside; adapters/ has the real ones, and tests have twins."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.wishes import Write
from kupyterhub_cli.errors import Unavailable

Written = Literal["written", "there already", "gone"]


@dataclass(frozen=True)
class Page:
    """Some documents, by id; `next` is where the following ones begin, if any may."""

    documents: tuple[Document, ...]
    next: str | None


class Users(Protocol):
    """The collection `users`. Each method raises Unavailable."""

    def by_ids(self, ids: Iterable[str]) -> dict[str, Document]:
        """Those of some documents that are there."""

    def by_emails(self, emails: Iterable[str]) -> list[Document]:
        """Every document with one of these lower-case e-mails, by its `status.email`, its `email` or its id."""

    def page(self, *, phase: str | None, trigram: str | None, after: str | None, limit: int) -> Page:
        """At most `limit` documents after an id, of a phase, and with a trigram among `status.terms`."""

    def write(self, writes: Sequence[Write]) -> list[Written]:
        """Write many, each by itself, and say for each what became of it; one that is there is never made anew."""

    def count(self, phase: str | None) -> int:
        """How many there are, of a phase or of any that the controller gave."""

    def count_all(self) -> int:
        """How many there are, looked at or not."""

    def changed_since(self, moment: datetime, limit: int) -> list[Document]:
        """Whose status was written at `moment` or later, in order."""

    def due(self, moment: datetime, limit: int) -> list[Document]:
        """Whose next look was due at `moment`, the longest due first."""

    def history(self, user: str, limit: int) -> list[dict[str, Any]]:
        """A user's last changes of phase that are not in the document any more, the newest first."""

    def policy(self) -> dict[str, Any]:
        """What the last `resync all` said of how many people new settings stop; empty where there was none."""


class Topics(Protocol):
    """Pub/Sub."""

    def publish(self, topic: str, messages: Iterable[dict[str, Any]]) -> None:
        """Publish JSON and wait until it is taken; raises Unavailable."""


class Logs(Protocol):
    """The logs of pods."""

    def read(self, component: str, name: str, *, lines: int, follow: bool, previous: bool) -> Iterator[str]:
        """The lines of the pod of a base name; raises Unavailable or NotRunning."""


class Google(Protocol):
    """Google Cloud's REST interfaces, and other web servers."""

    def ask(self, method: Literal["GET", "POST"], url: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The JSON answer, `asked` being the query of GET and the body of POST; raises Unavailable."""


class Web(Protocol):
    """Web servers, asked as a browser that is not signed in."""

    def status(self, url: str) -> int:
        """The HTTP status of an address; raises Unavailable."""

    def listens(self, address: str) -> bool:
        """Whether somebody takes connections at a host and port."""


class GcloudRefused(Unavailable):
    """`gcloud` said no; the text is what it said."""


class Gcloud(Protocol):
    """Google's command line, for one project. Each method raises GcloudRefused."""

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Run one command, with `given` on its standard input, and return what it printed."""

    def ask(self, *arguments: str) -> Any:
        """Run one command and return the JSON that it printed; None where that is nothing."""
