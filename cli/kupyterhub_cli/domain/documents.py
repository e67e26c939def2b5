"""A users document as the command sees it. Any field can hold anything: people and their programs write it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kupyterhub_rules.names import normalise_email
from kupyterhub_rules.stored import as_word, observed

PHASES = ("Provisioning", "Waiting", "Ready", "Stopped", "Deleted", "Rejected", "Failed")


@dataclass(frozen=True)
class Document:
    """One version of `users/{id}`."""

    id: str
    fields: dict[str, Any]

    @property
    def status(self) -> dict[str, Any]:
        """What the controller wrote; empty before its first look."""
        stored = self.fields.get("status")
        return stored if isinstance(stored, dict) else {}

    def text(self, name: str) -> str:
        """A field as text for people; empty where it is absent."""
        return as_text(self.fields.get(name))

    def said(self, name: str) -> str:
        """A field of the status as text for people; empty where it is absent."""
        return as_text(self.status.get(name))

    @property
    def email(self) -> str | None:
        """The lower-case e-mail; None where it is none."""
        stored = self.fields.get("email")
        return normalise_email(stored) if isinstance(stored, str) else None

    @property
    def label(self) -> str:
        """What people call this user: the e-mail, or else the id."""
        return self.email or self.text("email") or self.id

    @property
    def is_acted_on(self) -> bool:
        """Whether the status is of these fields, and not of earlier ones."""
        return self.status.get("observed") == observed(self.fields)


def as_text(value: Any) -> str:
    """Any stored value as people read it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return value if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    """Any stored value as JSON on one line; times are RFC 3339, what JSON has no word for is named by its type."""
    return json.dumps(value, ensure_ascii=False, default=as_word)
