"""Files of rows as spreadsheets save them: whatever their encoding and delimiter, and what they would run."""

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

DELIMITERS = ",;\t|"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class Unreadable(ValueError):
    """The bytes are no text in the encoding that was given or found."""


@dataclass(frozen=True)
class Line:
    """One row of cells, and the line of the file on which it ends; `problem` where it could not be read."""

    number: int
    cells: tuple[str, ...]
    problem: str = ""


def decode(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Text, and the encoding that it was in: as given, as its byte order mark says, UTF-8, or Windows-1252.

    Raises Unreadable.
    """
    found = encoding or next((name for mark, name in _BOMS if content.startswith(mark)), None)
    for name in [found] if found else ["utf-8", "cp1252"]:
        try:
            text = content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" not in text:
            return text, name
    raise Unreadable(f"it is no text in {found}" if found else "it is no text in UTF-8 or Windows-1252")


def lines(text: str, delimiter: str) -> Iterator[Line]:
    """Each row that is not empty; one that the csv module refuses is a problem and not the end."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(reader.line_num, (), f"the line cannot be read: {error}")
            continue
        if any(cell.strip() for cell in cells):
            yield Line(reader.line_num, tuple(cells))


def declared_delimiter(text: str) -> tuple[str | None, str]:
    """What Excel's first line `sep=;` says, and the text without that line."""
    first, _, rest = text.partition("\n")
    first = first.strip().strip('"')
    if first.lower().startswith("sep=") and len(first) == len("sep=;"):
        return first[-1], rest
    return None, text


def write(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines of CSV, each with its end."""
    for row in rows:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerow([inert(cell) for cell in row])
        yield out.getvalue()


def inert(cell: str) -> str:
    """A cell that no spreadsheet runs: what looks like a formula is led by an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def plain(cell: str) -> str:
    """What a cell held before `inert`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
