"""What an administrator wants of one user, and the write that brings it about, if any is needed.

Adding somebody again is no second user, and it never writes the `state` of one who is there unless that was asked
for: who was stopped or deleted on purpose stays so.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from kupyterhub_cli.domain.documents import Document
from kupyterhub_rules.names import document_id

STATES = ("running", "stopped", "deleted")
MAX_DISPLAY_NAME = 200
NEVER = "never"
REMOVED: None = None
"""In the fields of a write: the field is taken away."""


@dataclass(frozen=True)
class Wish:
    """A lower-case e-mail and the fields that were given for it."""

    email: str
    fields: dict[str, Any] = field(default_factory=dict)
    changes_state: bool = True
    """Whether a `state` among the fields is also written to a user who is there already."""


@dataclass(frozen=True)
class Write:
    """One write: a document is made if none is there (`create`), or fields of one that is there are changed."""

    id: str
    fields: dict[str, Any]
    create: bool = False


@dataclass(frozen=True)
class Step:
    """What becomes of one wish."""

    label: str
    what: Literal["add", "change", "keep"]
    write: Write | None
    note: str = ""


def step(wish: Wish, there: Document | None) -> Step:
    """Compare a wish with the user's document."""
    if there is None:
        fields = {"email": wish.email, **{name: value for name, value in wish.fields.items() if value is not None}}
        return Step(wish.email, "add", Write(document_id(wish.email), fields, create=True))
    wanted = {name: value for name, value in wish.fields.items() if name != "state" or wish.changes_state}
    changed = {name: value for name, value in wanted.items() if there.fields.get(name) != value}
    note = _note(there, changed)
    if changed:
        return Step(wish.email, "change", Write(there.id, changed), note)
    return Step(wish.email, "keep", None, note)


def _note(there: Document, changed: dict[str, Any]) -> str:
    state = changed.get("state", there.fields.get("state"))
    if state in ("stopped", "deleted") and "state" not in changed:
        return f"is {state}; `kupyterhub users start {there.label}` starts the notebook again"
    return ""


def chosen(found: list[Document]) -> Document | None:
    """Of the documents with one e-mail, the one that is meant: who holds it, or else who would."""
    return min(
        found,
        key=lambda d: (d.fields.get("state") == "deleted", d.status.get("reason") == "DuplicateEmail", d.id),
        default=None,
    )


def counts(document: Document) -> bool:
    """Whether a document is somebody's own: neither deleted nor the second with its e-mail."""
    return document.fields.get("state") != "deleted" and document.status.get("reason") != "DuplicateEmail"


def moment(text: str) -> datetime | None:
    """Read `expiresAt`: RFC 3339, a date (through its end, UTC), or None for `never`; raises ValueError."""
    given = text.strip()
    if given.lower() == NEVER:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        read = datetime.fromisoformat(given.removesuffix(" UTC"))
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    return datetime.combine(day, time.min, UTC) + timedelta(days=1)
