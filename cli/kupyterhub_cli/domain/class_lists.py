"""A class list: rows of a CSV file become wishes, and those that cannot are kept with their reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kupyterhub_cli.domain import text_files
from kupyterhub_cli.domain.text_files import Line
from kupyterhub_cli.domain.wishes import MAX_DISPLAY_NAME, STATES, Wish, moment
from kupyterhub_rules.names import normalise_email

_FIELDS = {
    "email": ("email", "e-mail", "mail", "emailaddress", "e-mailaddress", "googleaccount"),
    "displayName": ("displayname", "name", "fullname", "studentname"),
    "profile": ("profile",),
    "state": ("state",),
    "image": ("image",),
    "expiresAt": ("expiresat", "expires"),
}
_NAMES = {alias: name for name, aliases in _FIELDS.items() for alias in aliases}
OWN_COLUMNS = ("line", "reason")
"""What a file of refused rows has before the columns of the file that they are from."""


class NoEmails(ValueError):
    """The file has no column of e-mails."""


@dataclass(frozen=True)
class Refused:
    """A row that was not taken, and why."""

    line: Line
    reason: str


@dataclass(frozen=True)
class ClassList:
    """What a file asks for."""

    header: tuple[str, ...]
    wishes: tuple[Wish, ...]
    refused: tuple[Refused, ...]
    ignored: tuple[str, ...]
    """Columns that mean nothing here."""


def read(text: str, *, changes_state: bool) -> ClassList:
    """Read text with or without a line of headings, with any usual delimiter; raises NoEmails."""
    declared, text = text_files.declared_delimiter(text)
    for delimiter in [declared] if declared else text_files.DELIMITERS:
        rows = list(text_files.lines(text, delimiter))
        if rows and (columns := _columns(rows[0])):
            return _taken(rows, columns, changes_state=changes_state)
    raise NoEmails(
        "No column is named email, and the first line holds no e-mail. Add a first line such as email,name"
    )


def refused_rows(found: ClassList) -> list[Sequence[str]]:
    """The file of refused rows: it can be mended and imported again as it is."""
    return [
        (*OWN_COLUMNS, *found.header),
        *((str(each.line.number), each.reason, *each.line.cells) for each in found.refused),
    ]


def _columns(first: Line) -> dict[int, str]:
    """Which field is in which column, or in which the e-mails are where there are no headings."""
    named: dict[int, str] = {}
    for index, cell in enumerate(first.cells):
        name = _NAMES.get(cell.strip().lower().replace(" ", "").replace("_", ""))
        if name and name not in named.values():
            named[index] = name
    if "email" in named.values():
        return named
    return next(({index: "email"} for index, cell in enumerate(first.cells) if _email(cell)), {})


def _taken(rows: list[Line], columns: dict[int, str], *, changes_state: bool) -> ClassList:
    at = next(index for index, name in columns.items() if name == "email")
    has_headings = _email(rows[0].cells[at]) is None
    header = rows[0].cells if has_headings else tuple(columns.get(i, "") for i in range(len(rows[0].cells)))
    wishes: dict[str, tuple[int, Wish]] = {}
    refused: list[Refused] = []
    for line in rows[1:] if has_headings else rows:
        wish, problems = _wish(line, columns, len(header), changes_state=changes_state)
        if wish and wish.email in wishes:
            problems.append(f"email: {wish.email} is already in line {wishes[wish.email][0]}")
        if wish and not problems:
            wishes[wish.email] = (line.number, wish)
        else:
            refused.append(Refused(line, "; ".join(problems)))
    ignored = tuple(
        cell.strip()
        for index, cell in enumerate(header)
        if index not in columns and cell.strip() and cell.strip().lower() not in OWN_COLUMNS
    )
    return ClassList(header, tuple(wish for _, wish in wishes.values()), tuple(refused), ignored)


def _wish(line: Line, columns: dict[int, str], width: int, *, changes_state: bool) -> tuple[Wish | None, list[str]]:
    if line.problem:
        return None, [line.problem]
    cells = {name: text_files.plain(line.cells[i].strip()) for i, name in columns.items() if i < len(line.cells)}
    problems: list[str] = []
    if any(cell.strip() for cell in line.cells[width:]):
        problems.append(
            f"the line has {len(line.cells)} cells, the heading {width}; quote a cell that has a delimiter"
        )
    given = cells.pop("email", "")
    email = normalise_email(given)
    if email is None:
        problems.append(f"email: {given[:60]!r} is no e-mail address" if given else "email: is missing")
    fields: dict[str, Any] = {}
    for name, cell in cells.items():
        if cell:
            try:
                fields[name] = field_of(name, cell)
            except ValueError as error:
                problems.append(f"{name}: {error}")
    return (Wish(email, fields, changes_state) if email else None), problems


def field_of(name: str, text: str) -> Any:
    """A field's value as Firestore stores it, from what a person wrote; raises ValueError with what is allowed."""
    if name == "state" and text not in STATES:
        raise ValueError(f"{text[:60]!r} is none of {', '.join(STATES)}")
    if name == "displayName" and len(text) > MAX_DISPLAY_NAME:
        raise ValueError(f"has {len(text)} characters; at most {MAX_DISPLAY_NAME} are allowed")
    if name == "expiresAt":
        try:
            return moment(text)
        except (ValueError, OverflowError) as error:
            raise ValueError(
                f"{text[:60]!r} is no date such as 2026-12-31 or 2026-12-31T18:00+01:00, nor never"
            ) from error
    return text


def _email(cell: str) -> str | None:
    return normalise_email(text_files.plain(cell.strip()))
