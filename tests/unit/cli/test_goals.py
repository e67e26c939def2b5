"""What `--wait` waits for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kupyterhub_cli.domain.documents import Document
from kupyterhub_cli.domain.goals import deleted, outcome
from kupyterhub_rules.stored import observed

THEN = datetime(2026, 1, 31, tzinfo=UTC)


def document(phase: str, status: dict[str, Any] | None = None, **fields: Any) -> Document:
    stored = {"email": "ada@example.com", **fields}
    return Document("u", {**stored, "status": {"observed": observed(stored), "phase": phase, **(status or {})}})


@pytest.mark.parametrize(
    ("seen", "result"),
    [
        (Document("u", {"email": "ada@example.com"}), "pending"),
        (document("Provisioning"), "pending"),
        (document("Ready"), "reached"),
        (document("Ready", {"observed": "of before"}), "pending"),
        (document("Ready", restart=True), "pending"),
        (document("Rejected", restart=True), "missed"),
        (document("Stopped", state="stopped", restart=True), "missed"),
        (document("Failed"), "missed"),
        (document("Rejected"), "missed"),
        (document("Ready", state="stopped"), "pending"),
        (document("Stopped", state="stopped"), "reached"),
        (document("Deleted"), "missed"),
        (document("Deleted", state="deleted", purge=True), "pending"),
        (document("Deleted", state="deleted"), "reached"),
        (None, "missed"),
    ],
    ids=[
        "new",
        "starting",
        "ready",
        "ready of before",
        "restart to come",
        "no restart of who is rejected",
        "no restart of who is stopped",
        "failed",
        "rejected",
        "not stopped yet",
        "stopped",
        "expired",
        "purge to come",
        "deleted",
        "gone",
    ],
)
def test_outcomes(seen: Document | None, result: str) -> None:
    assert outcome(seen) == result


def test_after_a_restart_the_announcement_of_the_old_notebook_is_not_enough() -> None:
    status = {"restartedAt": THEN, "agent": {"registeredAt": THEN - timedelta(seconds=1)}}
    assert outcome(document("Ready", status)) == "pending"
    status["agent"] = {"registeredAt": THEN + timedelta(seconds=1)}
    assert outcome(document("Ready", status)) == "reached"


def test_a_deletion_is_there_when_its_message_was_acted_on() -> None:
    seen = document("Deleted", {"deletedAt": THEN}, state="deleted")
    assert deleted(document("Ready"), None) == "pending"
    assert deleted(seen, THEN) == "pending"
    assert deleted(seen, None) == "reached"
    assert deleted(None, None) == "reached"
