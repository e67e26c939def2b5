"""How often one person may ask, counted by this instance alone.

With few instances that is what stops a page that asks without end; it is no exact figure over all of them.
"""

import threading
import time
from collections.abc import Callable

_KEPT = 10_000


class Limit:
    """A bucket for each person: `burst` at once, and `per_second` over time. Threads share it."""

    def __init__(self, burst: int, per_second: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def allows(self, person: str) -> bool:
        """Whether the person may ask once more now; counts it."""
        with self._lock:
            now = self._monotonic()
            left, at = self._buckets.get(person, (float(self._burst), now))
            left = min(self._burst, left + (now - at) * self._per_second)
            self._buckets[person] = (max(left - 1, 0.0) if left >= 1 else left, now)
            if len(self._buckets) > _KEPT:
                self._forget(now)
            return left >= 1

    def _forget(self, now: float) -> None:
        full_after = self._burst / self._per_second
        self._buckets = {person: kept for person, kept in self._buckets.items() if now - kept[1] < full_after}
