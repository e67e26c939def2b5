import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from google.cloud.firestore import Client

from cluster.bridge.rig import Addresses, Bridge, Functions, firestore, free_port, healthy, pubsub
from kupyterhub_local.components import cloud_sdk, emulators, versions
from kupyterhub_local.components.cache import user_cache
from kupyterhub_local.components.emulators import EmulatorPrograms

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def programs() -> EmulatorPrograms:
    return asyncio.run(emulators.get(versions.read(), cloud_sdk.root(), user_cache(), print))


@pytest.fixture(scope="session")
def addresses(programs: EmulatorPrograms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Both emulators for all tests: each test has a project, hence documents and triggers, of its own."""
    folder = tmp_path_factory.mktemp("emulators")
    at = Addresses(*(free_port() for _ in range(4)))
    running = [
        firestore(programs, at.firestore, at.bridge, folder / "firestore.log"),
        pubsub(programs, at.pubsub, folder / "pubsub.log"),
    ]
    try:
        for port in (at.firestore, at.pubsub):
            asyncio.run(healthy(f"http://127.0.0.1:{port}/"))
        yield at
    finally:
        for program in running:
            program.end()


@pytest.fixture
async def functions(addresses: Addresses) -> AsyncIterator[Functions]:
    functions = Functions(addresses.functions)
    await functions.start()
    yield functions
    await functions.stop()


@pytest.fixture
def stopped_bridge(addresses: Addresses, tmp_path: Path) -> Iterator[Bridge]:
    bridge = Bridge(f"test-{next(_NUMBERS)}", addresses, tmp_path)
    yield bridge
    bridge.end()


@pytest.fixture
async def bridge(stopped_bridge: Bridge, functions: Functions) -> Bridge:
    await stopped_bridge.start()
    return stopped_bridge


@pytest.fixture
def documents(stopped_bridge: Bridge, addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"127.0.0.1:{addresses.firestore}")
    client = Client(project=stopped_bridge.project)
    yield client
    client.close()  # type: ignore[no-untyped-call]
