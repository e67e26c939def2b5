import pytest

pytest.register_assert_rewrite("contracts", "twins")

from twins import World  # noqa: E402 - asserts in helpers are to say what they compared


@pytest.fixture
def world() -> World:
    return World()
