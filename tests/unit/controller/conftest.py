import pytest

from twins import World


@pytest.fixture
def world() -> World:
    return World()
