"""What the person at the terminal sees: lines of what happened, and in a terminal a table of people and phases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kupyterhub_local.users import User

STYLES = {"Ready": "green", "Failed": "red", "Rejected": "red"}


class View:
    """Lines that stay, above a table that is drawn anew, of a system that was started at `since`."""

    def __init__(self, console: Console, since: datetime) -> None:
        self._console = console
        self._since = since
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
        self._shown: dict[tuple[str, str], User] = {}

    def say(self, line: str) -> None:
        """Print a line, as it is."""
        self._console.print(Text(line), soft_wrap=True)

    def show(self, users: Sequence[User]) -> None:
        """Show everybody; a phase that is new is a line too."""
        users = [as_of(user, self._since) for user in users]
        now = {(user.id, user.email): user for user in users}
        if now == self._shown:
            return
        for user in users:
            before = self._shown.get((user.id, user.email))
            if before is None or line(before) != line(user):
                self.say(line(user))
        for _, email in self._shown.keys() - now.keys():
            self.say(f"{email}: gone")
        self._shown = now
        if self._live:
            self._live.start()
            self._live.update(_table(users), refresh=True)

    def close(self) -> None:
        """Leave the last table where it is."""
        if self._live:
            self._live.stop()


def as_of(user: User, since: datetime) -> User:
    """Return a user without what was true of an earlier run: every notebook is started anew by this one."""
    if user.phase == "Ready" and (user.registered is None or user.registered < since):
        return replace(user, phase="Starting", url="")
    return user


def line(user: User) -> str:
    """Say how it stands with a user; the URL is last, where terminals let people click it."""
    if user.url:
        return f"JupyterLab of {user.email}: {user.url}"
    return f"{user.email}: {user.phase or 'new'}" + (f" ({user.message})" if user.message else "")


def _table(users: Sequence[User]) -> Table:
    table = Table("user", "phase", "", box=None, caption="Ctrl-C ends everything; notebooks stay.")
    for user in users:
        phase = Text(user.phase or "new", STYLES.get(user.phase, "yellow"))
        table.add_row(Text(user.email), phase, Text(user.url or user.message))
    return table
