"""What happened to a user lately: changes of phase, the newest of which are in the status, others in `history`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kupyterhub_cli.domain.documents import Document, as_json

_NEVER = datetime.min.replace(tzinfo=UTC)


def lately(document: Document, history: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The last changes, the latest first; `history` is read after the document.

    The controller moves changes from one to the other: one that is in both was moved between the two reads.
    """
    stored = document.status.get("changes")
    changes = [each for each in stored if isinstance(each, dict)] if isinstance(stored, list) else []
    moved = list(history)
    known = {_identity(each) for each in moved}
    found = [*moved, *(each for each in changes if _identity(each) not in known)]
    return sorted(found, key=_moment, reverse=True)[:most]


def _identity(change: dict[str, Any]) -> tuple[str, str]:
    return as_json(change.get("at")), as_json(change.get("phase"))


def _moment(change: dict[str, Any]) -> datetime:
    at = change.get("at")
    return at if isinstance(at, datetime) else _NEVER
