"""What a person sees and answers. Results go to stdout, all that is said about them to stderr.

Text of documents is never markup: it is wrapped in `Text`, and control characters in it are taken out.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kupyterhub_cli.domain.documents import as_json
from kupyterhub_cli.errors import NotConfirmed

# Lines of a file need not fit anywhere.
_FILE_WIDTH = 1000
STYLES = {"Ready": "green", "Failed": "red", "Rejected": "red", "Provisioning": "yellow", "Waiting": "yellow"}


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    return console


@dataclass
class Advance:
    """Moves a bar of progress."""

    progress: Progress
    task: Any

    def to(self, done: int) -> None:
        """So many are done."""
        self.progress.update(self.task, completed=done)


@dataclass
class Screen:
    """The two streams of a terminal, and whether a program reads the results."""

    json: bool = False
    yes: bool = False
    out: Console = field(default_factory=_console)
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def say(self, line: str, style: str = "") -> None:
        """Say something about the results."""
        self.err.print(Text(shown(line), style), soft_wrap=True)

    def line(self, line: str) -> None:
        """Print one result as it is, for people and programs alike."""
        self.out.file.write(shown(line) + "\n")
        self.out.file.flush()

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print results as a table; a cell that is a phase has its colour."""
        table = Table(box=None, pad_edge=False)
        for heading in headings:
            # Folded and never cut off: a URL is copied from here.
            table.add_column(heading, overflow="fold")
        for row in rows:
            table.add_row(*(Text(shown(cell), STYLES.get(cell, "")) for cell in row))
        self.out.print(table)

    def data(self, value: Any) -> None:
        """Print a result for programs."""
        sys.stdout.write(as_json(value) + "\n")
        sys.stdout.flush()

    def ask(self, question: str, needed: str = "") -> None:
        """Ask for a yes, or for the word that is `needed`; raises NotConfirmed."""
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise NotConfirmed(
                f"{question} Nobody is there to answer; with --yes the answer is yes. Nothing was done."
            )
        self.err.print(Text(f"{shown(question)} {'' if needed else '[y/N] '}"), end="")
        answer = sys.stdin.readline().strip()
        if answer != needed if needed else answer.lower() not in ("y", "yes"):
            raise NotConfirmed("Nothing was done.")

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Advance]:
        """Show how many of `total` are done, and the time left; only where a person looks on."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, transient=True, disable=not self.err.is_terminal) as progress:
            yield Advance(progress, progress.add_task(what, total=total))


def shown(text: str) -> str:
    """Text without what would move the cursor or colour the terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}" for each in text)
