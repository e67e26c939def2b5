"""The portal with 10,000 people in the Firestore emulator: how long the first byte of each page takes."""

import http.client
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
from google.cloud.firestore_v1.bulk_batch import BulkWriteBatch

import local_system
from bench.figures import Figure
from kupyterhub.domain.users import search_terms
from kupyterhub_local.system import LocalSystem
from kupyterhub_portal.store import PHASES
from kupyterhub_rules.names import base_name, document_id
from kupyterhub_rules.stored import observed

PEOPLE = 10_000
BATCH = 500
ROUNDS = 60
# The emulator has no indexes: there a search reads everybody, which takes seconds.
ROUNDS_OF_SEARCHES = 5
WARM = 10
ADMIN = "admin@example.com"
SOMEBODY = "student00042@example.com"
# Each page is asked for by somebody else: one person may not ask so often.
PAGES = {
    "one's own server": (SOMEBODY, "/"),
    "its state, looked at again": ("student00043@example.com", "/state"),
    "everybody, the first page": ("admin1@example.com", "/people"),
    "everybody, in the middle": ("admin2@example.com", "/people?after=student05000@example.com/u-8"),
    "a search that one fits": ("admin3@example.com", "/people?part=student00042"),
    "a search that all fit": ("admin4@example.com", "/people?part=example.com"),
    "all of a state": ("admin5@example.com", "/people?phase=Failed"),
    "one person": ("admin6@example.com", f"/person?id={document_id(SOMEBODY)}"),
}


def measure() -> list[Figure]:
    """Time requests of somebody who is signed in, one after another, and weigh the heaviest page."""
    with tempfile.TemporaryDirectory() as folder, local_system.emulators(Path(folder) / "state") as running:
        system = LocalSystem(running.state, running.addresses, print)
        _fill(running.firestore_host, system.environment["GOOGLE_CLOUD_PROJECT"])
        with _portal(system):
            origin = system.addresses.portal
            figures = [_figure(what, Browser(origin, email), path) for what, (email, path) in PAGES.items()]
            browser = Browser(origin, ADMIN)
            weight = sum(browser.weigh(path) for path in ("/people?part=example.com", *browser.assets()))
    return [*figures, Figure("portal: everybody, with style and script", weight / 1000, 100, "kB")]


class Browser:
    """Somebody's, over one connection."""

    def __init__(self, origin: str, email: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", urlsplit(origin).port or 80)
        self._headers = {"Host": urlsplit(origin).netloc, "Origin": origin}
        form = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/sign-in", urlencode({"email": email}), form)
        answer = self._connection.getresponse()
        answer.read()
        self._headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]

    def times(self, path: str) -> tuple[float, float]:
        """Milliseconds from the request to the first byte of the answer and to the last."""
        start = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read(1)
        first = time.perf_counter()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{path} answered {answer.status}")
        return (first - start) * 1000, (time.perf_counter() - start) * 1000

    def weigh(self, path: str) -> int:
        """Bytes of an answer's body."""
        return len(self._body(path))

    def assets(self) -> list[str]:
        """What a page needs beside itself."""
        return [part for part in self._body("/people").decode().split('"') if part.startswith("/assets/")]

    def _body(self, path: str) -> bytes:
        self._connection.request("GET", path, headers=self._headers)
        return self._connection.getresponse().read()


def _figure(what: str, browser: Browser, path: str) -> Figure:
    searches = "part=" in path
    for _ in range(0 if searches else WARM):
        browser.times(path)
    times = [browser.times(path) for _ in range(ROUNDS_OF_SEARCHES if searches else ROUNDS)]
    first, last = (statistics.median(column) for column in zip(*times, strict=True))
    return Figure(f"portal: first byte of {what}", first, 50, "ms", f"the last after {last:.0f} ms")


@contextmanager
def _portal(system: LocalSystem) -> Iterator[None]:
    service = system.portal()
    admins = ", ".join([ADMIN, *(email for email, path in PAGES.values() if path.startswith("/pe"))])
    settings = system.state.settings
    settings.write_text(settings.read_text().replace(f"admins: [{ADMIN}]", f"admins: [{admins}]"))
    environment = {**os.environ, **service.environment}
    with subprocess.Popen(service.command(), env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(system.addresses.ports.portal)
            yield
        finally:
            process.terminate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/", headers={"Host": f"localhost:{port}"})
            connection.getresponse().read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def _fill(host: str, project: str) -> None:
    os.environ["FIRESTORE_EMULATOR_HOST"] = host
    client = firestore.Client(project, AnonymousCredentials())
    del os.environ["FIRESTORE_EMULATOR_HOST"]
    for first in range(0, PEOPLE, BATCH):
        batch = BulkWriteBatch(client)
        for number in range(first, first + BATCH):
            email, fields = _person(number)
            batch.create(client.collection("users").document(document_id(email)), fields)
        batch.commit()
    client.close()


def _person(number: int) -> tuple[str, dict[str, Any]]:
    email, name = f"student{number:05}@example.com", f"Student Number {number}"
    fields = {"email": email, "displayName": name}
    status = {
        "phase": PHASES[number % len(PHASES)],
        "email": email,
        "name": base_name(email),
        "observed": observed(fields),
        "message": "JupyterLab is starting.",
        "terms": list(search_terms(email, name)),
    }
    return email, {**fields, "status": status}
