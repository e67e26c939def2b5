"""How long to wait after a failed delivery. Pure."""

from datetime import timedelta

FIRST = timedelta(seconds=1)
# Pub/Sub's own limit is 600 s; a person at one machine does not wait that long.
LONGEST = timedelta(seconds=60)


def backoff(attempts: int, chance: float) -> timedelta:
    """Give the wait after `attempts` failures (1, 2, …): doubling, less up to half by `chance`, 0 to 1.

    Without chance, all events that failed together would come again together.
    """
    doubled = FIRST * int(2 ** min(attempts - 1, 16))
    return min(doubled, LONGEST) * (1 - chance / 2)
