import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from google.cloud.firestore import Client

from cluster.bridge.rig import Bridge, Functions, eventually
from local_system import RunningEmulators

_NUMBERS = itertools.count()


@pytest.fixture
async def functions(emulators: RunningEmulators) -> AsyncIterator[Functions]:
    functions = Functions(emulators.addresses.ports.functions)
    await functions.start()
    yield functions
    await functions.stop()


@pytest.fixture
def stopped_bridge(emulators: RunningEmulators, tmp_path: Path) -> Iterator[Bridge]:
    """Each has a project, hence documents and triggers, of its own."""
    bridge = Bridge(f"bridge-test-{next(_NUMBERS)}", emulators.addresses.ports, tmp_path)
    yield bridge
    bridge.end()


@pytest.fixture
async def bridge(stopped_bridge: Bridge, functions: Functions) -> Bridge:
    await stopped_bridge.start()
    await functions.looked_at_everybody()
    await eventually(lambda: stopped_bridge.stored() == 0)
    return stopped_bridge


@pytest.fixture
def documents(
    stopped_bridge: Bridge, emulators: RunningEmulators, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
    client = Client(project=stopped_bridge.project)
    yield client
    client.close()  # type: ignore[no-untyped-call]
