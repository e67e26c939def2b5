"""A line for each step, with the time that it took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from kupyterhub_cli.screen import Screen

_WIDTH = 64


class Steps:
    """Says what is done, once it is."""

    def __init__(self, screen: Screen, clock: Callable[[], datetime]) -> None:
        self._screen = screen
        self._clock = clock

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Do one."""
        began = self._clock()
        try:
            yield
        except Exception:
            self.took(what, self._clock() - began, "FAILED", "red")
            raise
        self.took(what, self._clock() - began)

    def took(self, what: str, time: timedelta, how: str = "done", style: str = "green") -> None:
        """Say what was done elsewhere."""
        minutes, seconds = divmod(round(time.total_seconds()), 60)
        self._screen.say(f"{what:{_WIDTH}} {how:8} {minutes:2}:{seconds:02}", style)
