"""What `--wait` waits for: whether a user is where the last command wanted them."""

from datetime import datetime
from typing import Literal

from kupyterhub_cli.domain.documents import Document

Outcome = Literal["pending", "reached", "missed"]

_AT_REST = {"running": "Ready", "stopped": "Stopped", "deleted": "Deleted"}
_MISSED = ("Failed", "Rejected")
_NOT_RESTARTED = ("Deleted", "Rejected", "Stopped")


def outcome(document: Document | None) -> Outcome:  # noqa: PLR0911 - a table of cases
    """Whether the status is the answer to the document as it is now, and which answer."""
    if document is None:
        return "missed"
    if not document.is_acted_on:
        return "pending"
    phase = document.status.get("phase")
    if document.fields.get("restart") is True:
        return "missed" if phase in _NOT_RESTARTED else "pending"
    state = document.fields.get("state") or "running"
    if phase in _MISSED:
        return "missed"
    if phase == "Deleted" and state != "deleted":
        return "missed"  # expired
    if phase != _AT_REST.get(str(state)):
        return "pending"
    if phase == "Ready":
        return "reached" if _of_this_start(document) else "pending"
    return "pending" if document.fields.get("purge") is True else "reached"


def deleted(document: Document | None, before: datetime | None) -> Outcome:
    """Whether a message to delete was acted on: `before` was the document's `status.deletedAt` when it was sent."""
    if document is None:
        return "reached"
    if document.fields.get("state") != "deleted" or document.status.get("deletedAt") == before:
        return "pending"
    return outcome(document)


def _of_this_start(document: Document) -> bool:
    """Whether the announcement is not of the notebook from before a restart."""
    agent = document.status.get("agent")
    registered = agent.get("registeredAt") if isinstance(agent, dict) else None
    restarted = document.status.get("restartedAt")
    if isinstance(registered, datetime) and isinstance(restarted, datetime):
        return registered >= restarted
    return True
