"""What holds for all tests: asserts in what they share say what they compared, and folders stay together."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["terraform.plans"]
pytest.register_assert_rewrite("contracts", "twins")


class ByFolder(LoadScopeScheduling):
    """Keeps a folder's tests in one process: what they share is started once, and addresses are theirs alone."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """Decide which process runs which tests."""
    return ByFolder(config, log)
