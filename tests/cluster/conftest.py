"""What tests against real things share: one control plane and one pair of emulators for all of them."""

from collections.abc import Iterator

import pytest

import local_system


@pytest.fixture(scope="session")
def control_plane(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[local_system.RunningControlPlane]:
    """A real control plane, with infra/cluster and infra/local/cluster applied. No node."""
    with local_system.control_plane(tmp_path_factory.mktemp("control-plane")) as running:
        yield running


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local_system.RunningEmulators]:
    """Both emulators. Tests share them: each uses a project or documents of its own."""
    with local_system.emulators(tmp_path_factory.mktemp("emulators")) as running:
        yield running
