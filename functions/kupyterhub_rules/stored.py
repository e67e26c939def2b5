"""A users document as it is stored: which fields are acted on, and how they are told apart from others."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

OBSERVED_FIELDS = ("email", "expiresAt", "image", "profile", "state")


def observed(stored: dict[str, Any]) -> str:
    """`status.observed`: first 16 hex of the SHA-256 of compact JSON of the fields that are acted on (design).

    Absent ones are left out.
    """
    seen = {name: stored[name] for name in OBSERVED_FIELDS if stored.get(name) is not None}
    text = json.dumps(seen, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=as_word)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def rfc3339(moment: datetime) -> str:
    """UTC with microseconds, such as 2026-01-31T08:00:00.000000Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def as_word(value: Any) -> str:
    """What JSON has no word for: a time, or the name of its type.

    Some of Firestore's values say in `repr` where they are in memory, which is another place in every look.
    """
    return rfc3339(value) if isinstance(value, datetime) else type(value).__name__
