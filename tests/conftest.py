"""What holds for all tests: asserts in what they share say what they compared, and folders stay together."""

from pathlib import Path

import pytest

pytest.register_assert_rewrite("contracts", "twins")

TESTS = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a folder's tests in one process: what they share is started once."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(str(item.path.parent.relative_to(TESTS))))
