"""These have a Firestore emulator of their own, which they kill."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud.firestore import Client

from cluster.bridge.rig import Bridge, Functions, Program, eventually, healthy
from kupyterhub_local.bridge import latest_snapshot
from kupyterhub_local.components import cloud_sdk, versions
from kupyterhub_local.components import emulators as emulator_programs
from kupyterhub_local.components.cache import user_cache
from kupyterhub_local.emulators import firestore
from kupyterhub_local.supervisor import Service
from local_system import RunningEmulators

# An export that takes 0.02 s takes longer where tests run side by side.
SLOW_MACHINE_SECONDS = 1.0

DOCUMENT = {"email": "é@example.com", "n": 1, "list": [1.5, None, True], "map": {"中": b"\x00\xff"}}


class Restartable:
    """A Firestore emulator and its bridge, both killed and started again from what the bridge saved."""

    def __init__(self, firestore: Service, bridge: Bridge, log: Path) -> None:
        self.bridge = bridge
        self._service = firestore
        self._log = log
        self._firestore: Program | None = None

    async def start(self) -> None:
        await self.start_firestore()
        await self.bridge.start()

    async def start_firestore(self) -> None:
        self._firestore = Program(self._service.command(), self._log)
        await healthy(f"http://127.0.0.1:{self.bridge.ports.firestore}/")

    def kill_firestore(self) -> None:
        program, self._firestore = self._firestore, None
        if program:
            program.end()

    def end(self) -> None:
        self.bridge.end()
        self.kill_firestore()

    @contextmanager
    def client(self) -> Iterator[Client]:
        client = Client(project="restartable")
        yield client
        client.close()  # type: ignore[no-untyped-call]


@pytest.fixture
async def system(
    emulators: RunningEmulators, functions: Functions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Restartable]:
    own = {name: free_port() for name in ("firestore", "firestore_websocket", "bridge")}
    at = replace(emulators.addresses, ports=replace(emulators.addresses.ports, **own))
    bridge = Bridge("restartable", at.ports, tmp_path)
    programs = await emulator_programs.get(versions.read(), cloud_sdk.root(), user_cache(), print)
    service = await firestore(programs, at, bridge.snapshots, print)
    system = Restartable(service, bridge, tmp_path / "firestore.log")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{at.ports.firestore}")
    await system.start()
    await functions.looked_at_everybody()
    yield system
    system.end()


async def test_documents_outlive_a_hard_kill_of_everything(system: Restartable) -> None:
    with system.client() as documents:
        documents.document("users/é 中%2F@").set(DOCUMENT)
        documents.document("users/é 中%2F@/history/1").set({"phase": "Ready"})
    await asyncio.sleep(1.5)
    system.end()
    await system.start()

    with system.client() as documents:
        assert documents.document("users/é 中%2F@").get().to_dict() == DOCUMENT
        assert documents.document("users/é 中%2F@/history/1").get().to_dict() == {"phase": "Ready"}


async def test_a_kill_during_a_stream_of_writes_loses_at_most_the_last_second(system: Restartable) -> None:
    written: list[tuple[float, int]] = []
    with system.client() as documents:
        end = time.monotonic() + 4
        while time.monotonic() < end:
            documents.document("users/counter").set({"n": len(written)})
            written.append((time.monotonic(), len(written)))
            await asyncio.sleep(0.01)
    system.end()
    killed = time.monotonic()
    await system.start()

    with system.client() as documents:
        saved = documents.document("users/counter").get().get("n")
    assert killed - written[saved][0] < 1.0 + SLOW_MACHINE_SECONDS


async def test_the_last_write_before_a_stop_is_saved(system: Restartable) -> None:
    with system.client() as documents:
        for n in range(20):
            documents.document("users/a").set({"n": n})
    assert system.bridge.end(signal.SIGTERM) == 0
    system.kill_firestore()
    await system.start()

    with system.client() as documents:
        assert documents.document("users/a").get().get("n") == 19


async def test_one_snapshot_is_kept_and_nothing_is_exported_while_nothing_changes(system: Restartable) -> None:
    with system.client() as documents:
        documents.document("other/a").set({})
    await asyncio.sleep(2.5)
    before = latest_snapshot(system.bridge.snapshots)
    await asyncio.sleep(2.5)

    assert before is not None
    assert latest_snapshot(system.bridge.snapshots) == before
    assert len(names(system.bridge.snapshots)) == 2


async def test_an_emulator_started_again_sends_events_and_everybody_is_looked_at(
    system: Restartable, functions: Functions
) -> None:
    system.kill_firestore()
    await healthy(f"http://127.0.0.1:{system.bridge.ports.bridge}/healthz", status=503)
    await system.start_firestore()
    await healthy(f"http://127.0.0.1:{system.bridge.ports.bridge}/healthz")
    await eventually(lambda: len(functions.of("on_resync")) == 1)
    with system.client() as documents:
        documents.document("users/a").set({})

    await eventually(lambda: len(functions.of("on_user_written")) == 1)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
