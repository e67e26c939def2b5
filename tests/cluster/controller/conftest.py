"""One running controller for all tests of this folder: each uses documents and e-mails of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import local_system
from cluster.controller.alone import Alone, make_namespace
from cluster.controller.kube import Kube
from cluster.controller.system import System
from kupyterhub_local.addresses import HOST
from kupyterhub_local.control_plane.pki import Pki

SETTINGS = """
domain: $DOMAIN
allowedEmails: ["*@example.com", "*.example.org"]
images:
  jupyterlab: registry.example/jupyterlab:1
  agent: registry.example/agent:1
profiles:
  default: {cpu: 100m, memory: 256Mi, idleTimeout: 1h, readyDeadline: 30m}
  big: {cpu: "2", memory: 4Gi, images: [registry.example/big:1, registry.example/big:2]}
"""


@pytest.fixture(scope="package")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Emulators, bridge, functions and a control plane without a node."""
    folder = tmp_path_factory.mktemp("controller")
    with local_system.controller(folder, SETTINGS) as running, pytest.MonkeyPatch.context() as patch:
        for name in ("FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"):
            patch.setenv(name, running.system.environment[name])
        kube = Kube(f"https://{HOST}:{running.system.addresses.ports.apiserver}", Pki(running.state.pki))
        system = System(running, kube)
        system.quiet()
        yield system
        system.close()
        kube.close()


@pytest.fixture
def alone(system: System) -> Iterator[Alone]:
    """A controller in this process, with a project and a namespace that no other test has."""
    mark = datetime.now(UTC).strftime("%H%M%S%f")
    make_namespace(system.kube, f"alone-{mark}")
    alone = Alone(system, f"alone-{mark}")
    yield alone
    alone.close()
