"""The command as a process of its own, against the emulators."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore

import local_system

CLI = Path(__file__).parents[3] / "cli"


@dataclass(frozen=True)
class Command:
    """`kupyterhub` in a folder of its own, for a project of its own; `users` is what it should write."""

    folder: Path
    environment: dict[str, str]
    client: firestore.Client

    @property
    def users(self) -> firestore.CollectionReference:
        return self.client.collection("users")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "kupyterhub_cli", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """Run it to its end, and return what it wrote to both streams; they never hold a traceback."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=120)
        assert "Traceback" not in err
        assert process.returncode == status, err
        return out, err


@pytest.fixture
def command(
    emulators: local_system.RunningEmulators, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Command]:
    # Project ids are short, and of few characters.
    project = f"cli-{abs(hash(request.node.name)) % 10**12}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(CLI),
        "FIRESTORE_EMULATOR_HOST": emulators.firestore_host,
        "PUBSUB_EMULATOR_HOST": emulators.pubsub_host,
        "GOOGLE_CLOUD_PROJECT": project,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
        client = firestore.Client(project, AnonymousCredentials())
    yield Command(tmp_path, environment, client)
    client.close()
