from datetime import timedelta

import pytest

from kupyterhub_local.bridge.backoff import backoff


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (5000, 60)], ids=str
)
def test_the_wait_doubles_up_to_a_minute(attempts: int, seconds: float) -> None:
    assert backoff(attempts, chance=0) == timedelta(seconds=seconds)


def test_chance_takes_up_to_half_of_the_wait() -> None:
    assert backoff(3, chance=1) == timedelta(seconds=2)
    assert backoff(3, chance=0.5) == timedelta(seconds=3)
