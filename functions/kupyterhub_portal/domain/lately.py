"""What happened to somebody lately: changes of phase, the newest of which are in the status, others in `history`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kupyterhub.domain.users import UserDocument

_NEVER = datetime.min.replace(tzinfo=UTC)


def lately(document: UserDocument, history: Iterable[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The last changes, the latest first; `history` is read after the document.

    The controller moves changes from one to the other: one that is in both was moved between the two reads.
    """
    moved = list(history)
    known = [(each.get("at"), each.get("phase")) for each in moved]
    changes = [change for change in document.status.changes if (change.at, change.phase) not in known]
    found = [*moved, *(change.as_document() for change in changes)]
    return sorted(found, key=_moment, reverse=True)[:most]


def _moment(change: dict[str, Any]) -> datetime:
    at = change.get("at")
    return at if isinstance(at, datetime) else _NEVER
