"""How long a container that ended waits for its next start, as a kubelet does it. Pure."""

from datetime import timedelta

_FIRST = timedelta(seconds=10)
_LONGEST = timedelta(minutes=5)
_FORGIVEN_AFTER = timedelta(minutes=10)


def crashes_after(crashes: int, ran_for: timedelta) -> int:
    """Return how many ends in a row count, now that a run of this length ended too."""
    return 1 if ran_for >= _FORGIVEN_AFTER else crashes + 1


def restart_delay(crashes: int) -> timedelta:
    """Return the wait after so many ends in a row: none after the first, then 10 s doubling to 5 minutes."""
    if crashes <= 1:
        return timedelta()
    return min(_FIRST * (1 << min(crashes - 2, 10)), _LONGEST)
