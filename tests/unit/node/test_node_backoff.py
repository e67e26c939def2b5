"""How long a container that ended waits."""

from datetime import timedelta

from kupyterhub_local.node.domain.backoff import crashes_after, restart_delay


def test_the_first_restart_is_immediate_and_then_the_wait_doubles_to_five_minutes() -> None:
    waits = [restart_delay(crashes).total_seconds() for crashes in range(1, 9)]
    assert waits == [0, 10, 20, 40, 80, 160, 300, 300]
    assert restart_delay(10**6) == timedelta(minutes=5)


def test_ten_minutes_of_running_are_forgiven() -> None:
    assert crashes_after(5, timedelta(minutes=9)) == 6
    assert crashes_after(5, timedelta(minutes=10)) == 1
