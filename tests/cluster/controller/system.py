"""The running controller as those see it who use it: documents, messages, the cluster, and logs."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import uuid4

import requests
from google.cloud import firestore, pubsub_v1

from cluster.controller.kube import Kube
from kupyterhub_local.addresses import HOST
from kupyterhub_rules.names import base_name
from local_system import RunningController
from twins.users import REMOVED

PATIENCE_SECONDS = 60.0
T = TypeVar("T")


def until(look: Callable[[], T | None], what: str) -> T:
    """Look until there is an answer; what is not true counts as none."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < deadline, f"not in {PATIENCE_SECONDS:.0f} s: {what}"
        time.sleep(0.05)
    return found


@dataclass(frozen=True)
class Event:
    """A CloudEvent in binary mode, as the bridge delivers it."""

    function: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Person:
    """A document's id, and an e-mail that nobody else has."""

    user: str
    email: str

    @property
    def name(self) -> str:
        return base_name(self.email.lower())


def somebody(word: str = "ada") -> Person:
    mark = uuid4().hex[:8]
    return Person(f"{word}-{mark}", f"{word}.{mark}@example.com")


class System:
    """The `users` collection, Pub/Sub and the cluster of one running controller."""

    def __init__(self, running: RunningController, kube: Kube) -> None:
        self.running = running
        self.kube = kube
        project = running.system.environment["GOOGLE_CLOUD_PROJECT"]
        self._documents = firestore.Client(project=project)
        self._publisher = pubsub_v1.PublisherClient()
        self._project = project

    def close(self) -> None:
        self._documents.close()
        self._publisher.stop()

    # What people do.

    def set(self, user: str, **fields: Any) -> datetime:
        """Create a document, or merge fields into it; `REMOVED` removes a field. Returns its update time."""
        kept = {name: firestore.DELETE_FIELD if value is REMOVED else value for name, value in fields.items()}
        return self._users.document(user).set(kept, merge=True).update_time

    def enrol(self, person: Person, **fields: Any) -> datetime:
        return self.set(person.user, email=person.email, **fields)

    def remove(self, user: str) -> None:
        self._users.document(user).delete()

    def publish(self, topic: str, data: bytes | dict[str, Any]) -> None:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        # Pub/Sub wants data or attributes, also for a message that is empty.
        attributes = {} if body else {"from": "a person"}
        path = self._publisher.topic_path(self._project, topic)
        self._publisher.publish(path, body, **attributes).result(timeout=PATIENCE_SECONDS)

    def announce(self, person: Person, kind: str = "registered", **other: Any) -> None:
        """Publish what the proxy says of an agent that JupyterLab has just answered."""
        now = datetime.now(UTC).isoformat()
        said = {
            "type": kind,
            "user": person.user,
            "name": person.name,
            "instance": "pod-1",
            "proxyUrl": self.url(person),
            "registeredAt": now,
            "sentAt": now,
        }
        self.publish("agent-events", said | other)

    def url(self, person: Person) -> str:
        return f"http://{person.name}.{self.running.system.addresses.domain}/"

    def make_ready(self, person: Person) -> dict[str, Any]:
        """Play the node and the proxy until the user's server is ready; the status then."""
        until(lambda: self.kube.run_pods(person.name), f"pods of {person.name} run")
        self.announce(person)
        return self.until_phase(person.user, "Ready")

    # What people see.

    def fields(self, user: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self._users.document(user).get().to_dict()
        return found

    def status(self, user: str) -> dict[str, Any]:
        return (self.fields(user) or {}).get("status", {})

    def update_time(self, user: str) -> datetime:
        return self._users.document(user).get().update_time

    def until_phase(self, user: str, phase: str, **expected: Any) -> dict[str, Any]:
        """Wait until the status has this phase and these other fields."""

        def look() -> dict[str, Any] | None:
            status = self.status(user)
            return status if status.items() >= {"phase": phase, **expected}.items() else None

        try:
            return until(look, f"{user} becomes {phase} {expected}")
        except AssertionError as e:
            raise AssertionError(f"{e}; it is {self.fields(user)}") from e

    def until_made(self, person: Person) -> dict[str, Any]:
        """Wait until a start has made everything: the notebook's Deployment comes last; the status then."""

        def look() -> bool:
            deployment, ends = self.kube.deployment(person.name), self.status(person.user).get("reason") == "Ending"
            if deployment is None and ends:
                # The former one is gone, and who is due is looked at each minute.
                self.publish("resync", {"mode": "due"})
                time.sleep(1)
            return deployment is not None and "deletionTimestamp" not in deployment["metadata"] and not ends

        until(look, f"{person.name} is made")
        return self.until_phase(person.user, "Provisioning")

    def until_storage_is_left(self, person: Person) -> None:
        """Wait until all but the notebooks is gone: Deployments are, once their last pod is."""
        claim = f"PersistentVolumeClaim home-{person.name}"
        until(lambda: set(self.kube.objects(person.name)) == {claim}, f"nothing of {person.name} but the notebooks")

    def history(self, user: str) -> list[str]:
        """The phases, one after the other: those that were written away, and those that the status still keeps."""
        entries = self._users.document(user).collection("history").order_by("at").stream()
        changes = [entry.to_dict() for entry in entries] + self.status(user).get("changes", [])
        return [change["phase"] for change in changes]

    def log(self, name: str = "functions") -> str:
        return (self.running.state.logs / f"{name}.log").read_text(errors="replace")

    def lines(self, part: str) -> list[str]:
        """Lines of the functions' log."""
        return [line for line in self.log().splitlines() if part in line]

    # Events under way.

    def waiting(self, since: int = 0) -> list[Event]:
        """The events that are not delivered yet, after the one of the number `since`."""
        rows = self._queue("SELECT function, headers, body FROM events WHERE key > ? ORDER BY key", since)
        return [Event(function, json.loads(headers), body) for function, headers, body in rows]

    def attempts(self) -> int:
        """How often those were tried in vain."""
        return int(self._queue("SELECT COALESCE(SUM(attempts), 0) FROM events")[0][0])

    def quiet(self) -> None:
        """Wait until every event is delivered, those too that an event raises in its turn."""
        calm = 0

        def look() -> bool:
            nonlocal calm
            calm = 0 if self._queue("SELECT 1 FROM events LIMIT 1") else calm + 1
            return calm == 6

        until(look, "all events are delivered")

    def deliver(self, event: Event) -> int:
        """Give the functions an event, past the bridge; the status of the answer."""
        port = self.running.system.addresses.ports.functions
        url = f"http://{HOST}:{port}/{event.function}"
        return requests.post(url, data=event.body, headers=event.headers, timeout=PATIENCE_SECONDS).status_code

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """Let the functions stand still: events wait."""
        group = self.running.pid("functions")
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)

    @property
    def _users(self) -> Any:
        return self._documents.collection("users")

    def _queue(self, query: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.running.state.queue}?mode=ro", uri=True)) as database:
            return database.execute(query, values).fetchall()
