"""The local system as a person has it: the program in the foreground, and what Google's clients and kubectl say."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from dotenv import dotenv_values
from google.cloud import firestore, pubsub_v1

from system.processes import Process, alive, descendants

T = TypeVar("T")

YOU = "you@example.com"
# Idle, a start takes some ten seconds and a change a few; the machine may be busy.
START = timedelta(seconds=150)
CHANGE = timedelta(seconds=90)


def eventually(look: Callable[[], T], within: timedelta, what: str) -> T:
    """Look until there is something, and return it; fails with `what` was waited for."""
    deadline = time.monotonic() + within.total_seconds()
    while not (found := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within.total_seconds():.0f} s: {what}")
        time.sleep(0.2)
    return found


class LocalSystem:
    """A system with its state in a folder; `start`, `interrupt` and `kill` as often as one likes."""

    def __init__(self, state: Path, email: str = YOU) -> None:
        self.state = state
        self.email = email
        self._process: subprocess.Popen[bytes] | None = None
        self._log = state.with_name(f"{state.name}.log")

    def start(self) -> None:
        """Run it, and return when it has printed the URL of its first person."""
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                # It ends in order, too, when the tests are killed.
                [
                    *("setpriv", "--pdeathsig", "INT", "--"),
                    *(sys.executable, "-m", "kupyterhub_local", "run", "--email", self.email),
                ],
                env={**os.environ, "KUPYTERHUB_STATE": str(self.state)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.printed_url(self.email, START)
        self.firestore, self.publisher = self._clients()

    def printed_url(self, email: str, within: timedelta = CHANGE) -> str:
        """Return the URL that this run printed last for a person, waiting for it."""
        beginning = f"JupyterLab of {email}: "

        def look() -> str:
            lines = self.said().splitlines()
            if self._running.poll() is not None:
                pytest.fail(f"the run has ended with {self._running.returncode}:\n{self.said()}")
            return next((line.removeprefix(beginning) for line in reversed(lines) if line.startswith(beginning)), "")

        return eventually(look, within, f"the URL of {email}; it says:\n{self.said()}")

    def said(self) -> str:
        """Return what this run has printed."""
        return self._log.read_text()

    @property
    def environment(self) -> dict[str, str]:
        """What `.kupyterhub/env` tells other programs."""
        return {name: value or "" for name, value in dotenv_values(self.state / "env").items()}

    def processes(self) -> frozenset[Process]:
        """Return every process that it started and that runs now."""
        return descendants(self._running.pid)

    def interrupt(self) -> int:
        """Press Ctrl-C; returns its exit status."""
        self._running.send_signal(signal.SIGINT)
        return self._running.wait(60)

    def kill(self) -> None:
        """Kill it with -9, it alone."""
        self._running.kill()
        self._running.wait()

    def close(self) -> None:
        """End it if it runs, and say what it said, for whoever reads of a failure."""
        if self._process is not None:
            started = self.processes()
            if self._process.poll() is None:
                self.interrupt()
            sys.stdout.write(self.said())
            eventually(lambda: not alive(started), timedelta(seconds=10), "the end of all its processes")

    def add(self, **fields: Any) -> firestore.DocumentReference:
        """Add a document to `users`, under an id of Firestore's choice."""
        document: firestore.DocumentReference = self.firestore.collection("users").add(fields)[1]
        return document

    def document_of(self, email: str) -> firestore.DocumentReference:
        """Return a person's only document."""
        (document,) = self.firestore.collection("users").where(filter=_is("email", email)).stream()
        return document.reference

    def publish(self, topic: str, data: bytes) -> None:
        """Publish a message."""
        path = self.publisher.topic_path(self.environment["GOOGLE_CLOUD_PROJECT"], topic)
        self.publisher.publish(path, data).result(30)

    def kubectl(self, *arguments: str) -> str:
        """Run kubectl in the namespace, as one does who has read `.kupyterhub/env`."""
        done = subprocess.run(
            ["kubectl", "--namespace=kupyterhub", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, kinds: str, name: str) -> list[dict[str, Any]]:
        """Return the Kubernetes objects of a user's name."""
        found = self.kubectl("get", kinds, f"--selector=app.kubernetes.io/instance={name}", "--output=json")
        items: list[dict[str, Any]] = json.loads(found)["items"]
        return items

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, "not started"
        return self._process

    def _clients(self) -> tuple[firestore.Client, pubsub_v1.PublisherClient]:
        # The clients read the environment when they are made.
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return firestore.Client(), pubsub_v1.PublisherClient()


def phase(document: firestore.DocumentReference, wanted: str, within: timedelta = CHANGE) -> dict[str, Any]:
    """Wait until a document is in a phase, and return its status."""

    def look() -> dict[str, Any]:
        status: dict[str, Any] = (document.get().to_dict() or {}).get("status", {})
        return status if status.get("phase") == wanted else {}

    return eventually(look, within, f"phase {wanted}; the document is {document.get().to_dict()}")


def _is(field: str, value: str) -> firestore.FieldFilter:
    return firestore.FieldFilter(field, "==", value)
