"""Which fields of an object the API server does not accept, without what is in them: for `refusals`.

Of a Secret only the names of fields are told: every text about one could quote it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kupyterhub.domain.quoting import LONGEST, one_line, quoted

_TOLD = 5
"""How many fields are told of."""


class WrongFields(NamedTuple):
    """An object, and what is wrong with it as the end of a sentence."""

    kind: str
    name: str
    fields: str


def of_causes(kind: str, name: str, causes: Sequence[Mapping[str, Any]], *, secret: bool) -> WrongFields:
    """Read `details.causes` of a `Status` with reason `Invalid`: one for each field."""
    told = causes[:_TOLD]
    fields = ", ".join(_of_cause(cause, LONGEST // len(told), secret=secret) for cause in told)
    more = f" and {len(causes) - _TOLD} more" if len(causes) > _TOLD else ""
    return WrongFields(kind, name, f"{fields}{more}")


def of_text(message: str, *, secret: bool) -> WrongFields | None:
    """Read the message, as a condition repeats it, or as server-side apply answers what it cannot read."""
    found = _INVALID.search(message) or _UNREADABLE.search(message)
    if found is None:
        return None
    fields = ", ".join(_FIELD.findall(found["says"])) if secret else _without_values(found["says"].strip("[]"))
    return WrongFields(found["kind"], found["name"], quoted(fields)) if fields else None


def _of_cause(cause: Mapping[str, Any], longest: int, *, secret: bool) -> str:
    field, message = one_line(str(cause["field"])), one_line(str(cause.get("message") or ""))
    return field if secret or not message else f"{field} ({quoted(_without_values(message), longest)})"


def _without_values(text: str) -> str:
    return _VALUE.sub("", text)


_INVALID = re.compile(r'(?P<kind>[\w.]+) "(?P<name>[^"]*)" is invalid: (?P<says>.+)')
_UNREADABLE = re.compile(
    r"failed to (?:create typed patch object|convert new object) \([^/]*/(?P<name>[^;]*); [^,]*, Kind=(?P<kind>\w+)\)"
    r"(?: to proper version)?: (?P<says>.+)"
)
_VALUE = re.compile(r"(?<=value): [\w.&*\[\]]*?[\[{].*?[\]}](?=: |$)|, got &.*")
"""The wrong value, where it is more than a word: a part of the object."""
_FIELD = re.compile(
    r"(?<![^\s\[])([\w./-]*\w(?:\[[^\]]*\])?[\w./-]*): (?:(?:Invalid|Required|Unsupported|Duplicate) value|Forbidden|"
    r"Not found|Too (?:long|many|few)|expected |field not declared)"
)
