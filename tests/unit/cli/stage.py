"""Twins of what the command speaks to, and a way to run it: no I/O but the captured streams."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from kupyterhub_cli.__main__ import main
from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.wishes import Write
from kupyterhub_cli.errors import Unavailable
from kupyterhub_cli.place import Place
from kupyterhub_cli.ports import Page, Written
from kupyterhub_cli.session import Session
from kupyterhub_rules.names import document_id
from kupyterhub_rules.stored import observed

NOW = datetime(2026, 1, 31, 8, tzinfo=UTC)
LOCAL = Place("here", firestore="127.0.0.1:1", pubsub="127.0.0.1:2", proxy_url="http://127.0.0.1:3")


@dataclass
class FakeUsers:
    """Documents in a dict."""

    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)
    read: int = 0
    before_write: Callable[[], None] = lambda: None
    moved: list[dict[str, Any]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)

    def put(self, email: str, user: str | None = None, **fields: Any) -> str:
        user = user or document_id(email.lower())
        self.stored[user] = {"email": email, **fields}
        return user

    def settle(self, user: str, phase: str, **status: Any) -> None:
        """What the controller does at a look."""
        fields = self.stored[user]
        fields["status"] = {**fields.get("status", {}), "observed": observed(fields), "phase": phase, **status}

    def by_ids(self, ids: Iterable[str]) -> dict[str, Document]:
        return {user: Document(user, dict(self.stored[user])) for user in ids if user in self.stored}

    def by_emails(self, emails: Iterable[str]) -> list[Document]:
        wanted = set(emails)
        return [document for document in self._all() if document.email in wanted]

    def page(self, *, phase: str | None, trigram: str | None, after: str | None, limit: int) -> Page:
        found = [
            document
            for document in self._all()
            if (phase is None or document.status.get("phase") == phase)
            and (trigram is None or trigram in document.status.get("terms", ()))
            and (after is None or document.id > after)
        ][:limit]
        self.read += len(found)
        return Page(tuple(found), found[-1].id if len(found) == limit else None)

    def write(self, writes: Sequence[Write]) -> list[Written]:
        self.before_write()
        return [self._written(each) for each in writes]

    def count(self, phase: str | None) -> int:
        return sum(phase in (None, d.status.get("phase")) for d in self._all() if d.status)

    def count_all(self) -> int:
        return len(self.stored)

    def changed_since(self, moment: datetime, limit: int) -> list[Document]:
        found = [document for document in self._all() if document.status.get("updatedAt", NOW) >= moment]
        return sorted(found, key=lambda document: document.status.get("updatedAt", NOW))[:limit]

    def due(self, moment: datetime, limit: int) -> list[Document]:
        return [d for d in self._all() if d.status.get("nextLookAt", moment + timedelta(1)) <= moment][:limit]

    def history(self, user: str, limit: int) -> list[dict[str, Any]]:
        return self.moved[:limit]

    def policy(self) -> dict[str, Any]:
        return self.said

    def _all(self) -> list[Document]:
        return [Document(user, dict(fields)) for user, fields in sorted(self.stored.items())]

    def _written(self, write: Write) -> Written:
        if write.create == (write.id in self.stored):
            return "there already" if write.create else "gone"
        self.writes.append(write)
        fields = {**self.stored.get(write.id, {}), **write.fields}
        self.stored[write.id] = {name: value for name, value in fields.items() if value is not None}
        return "written"


@dataclass
class FakeTopics:
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def publish(self, topic: str, messages: Iterable[dict[str, Any]]) -> None:
        self.published += [(topic, message) for message in messages]


@dataclass
class FakeLogs:
    asked: list[tuple[str, str]] = field(default_factory=list)

    def read(self, component: str, name: str, *, lines: int, follow: bool, previous: bool) -> Iterator[str]:
        self.asked.append((component, name))
        yield "it starts [bold]now[/bold]"


@dataclass
class FakeWeb:
    answer: int | None = 421

    def status(self, url: str) -> int:
        if self.answer is None:
            raise Unavailable(f"{url} does not answer.")
        return self.answer

    def listens(self, address: str) -> bool:
        return self.answer is not None


@dataclass
class FakeGoogle:
    """Answers by the part of the URL that is a key."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def ask(self, method: str, url: str, asked: dict[str, Any]) -> dict[str, Any]:
        for part, answer in self.answers.items():
            if part in f"{url} {asked}":
                return answer
        raise Unavailable(f"{url.split('/')[2]} answered 403.")


@dataclass
class Stage:
    """A session of twins; sleeping moves its clock."""

    session: Session
    users: FakeUsers
    topics: FakeTopics
    on_sleep: Callable[[], None] = lambda: None
    now: datetime = NOW

    def run(self, *arguments: str) -> int:
        """Run the command, and return its exit status."""
        try:
            main(arguments, self.session)
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.on_sleep()


def make(folder: Path, place: Place = LOCAL) -> Stage:
    users, topics = FakeUsers(), FakeTopics()
    session = Session(environment={}, folder=folder)
    stage = Stage(session, users, topics)
    session.clock, session.sleep = lambda: stage.now, stage.sleep
    # What a cached property has made is an attribute.
    vars(session).update(place=place, users=users, topics=topics, web=FakeWeb(), google=FakeGoogle())
    session.logs = lambda _: FakeLogs()  # type: ignore[method-assign]
    return stage
