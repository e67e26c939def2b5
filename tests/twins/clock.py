"""A clock that tests move."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class FakeClock:
    """The time of a test; nothing but the test moves it."""

    now: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move on, and say what the time is then."""
        self.now += timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return self.now
