"""One measured figure, and the table of all."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """What was measured, in words, and the bound that it should keep."""

    what: str
    measured: float
    bound: float
    unit: str
    details: str = ""

    @property
    def kept(self) -> bool:
        return self.measured <= self.bound


def show(figures: Iterable[Figure]) -> None:
    """Print a row for each figure; one that falls short is said to, and is no failure of the program."""
    table = Table("what", "measured", "at most", "kept", "details")
    for figure in figures:
        measured, bound = (f"{number:.2f}".rstrip("0").rstrip(".") for number in (figure.measured, figure.bound))
        kept = "yes" if figure.kept else "NO"
        table.add_row(figure.what, f"{measured} {figure.unit}", f"{bound} {figure.unit}", kept, figure.details)
    Console(width=150).print(table)
