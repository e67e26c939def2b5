"""How it stands with a server, in words that do not frighten."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kupyterhub import settings as files
from kupyterhub.domain.policy import judge
from kupyterhub.domain.users import UserDocument, observed
from kupyterhub_portal.domain.words import Words, waits_for_restart, words

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = files.parse(
    "{domain: 'localhost:1', allowedEmails: ['*@example.com'], "
    "images: {agent: a, jupyterlab: j}, profiles: {default: {}}}"
)


def document(status: dict[str, Any] | None = None, **fields: Any) -> UserDocument:
    stored = {"email": "ada@example.com", **fields}
    if status is not None:
        stored["status"] = {"observed": observed(stored), **status}
    return UserDocument("u", stored, NOW, NOW)


def told(found: UserDocument) -> Words:
    return words(found, judge(found, SETTINGS, NOW))


@pytest.mark.parametrize(
    ("found", "title", "changes"),
    [
        pytest.param(document(), "Starting", True, id="new"),
        pytest.param(document({"phase": "Provisioning", "reason": "Starting"}), "Starting", True, id="starting"),
        pytest.param(document({"phase": "Waiting"}), "You are in the queue", True, id="queue"),
        pytest.param(document({"phase": "Ready"}), "Your server is running", False, id="ready"),
        pytest.param(document({"phase": "Ready"}, restart=True), "Starting", True, id="restart"),
        pytest.param(document({"phase": "Ready", "observed": "other"}), "Starting", True, id="changed since"),
        pytest.param(
            document({"phase": "Ready", "observed": "other"}, state="stopped"), "Stopping", True, id="stopping"
        ),
        pytest.param(document({"phase": "Stopped"}, state="stopped"), "Your server is stopped", False, id="stopped"),
        pytest.param(
            document({"phase": "Failed", "reason": "NotReadyInTime"}),
            "This takes longer than it should",
            True,
            id="failed",
        ),
        pytest.param(document(state="deleted"), "You have no server any more", False, id="deleted"),
        pytest.param(document(expiresAt=NOW), "You have no server any more", False, id="expired"),
        pytest.param(document(profile="huge"), "Your server needs a change first", False, id="rejected"),
        pytest.param(
            document({"phase": "Rejected", "reason": "StorageRefused"}),
            "Your server needs a change first",
            False,
            id="rejected by the controller alone",
        ),
    ],
)
def test_each_state_has_its_words(found: UserDocument, title: str, *, changes: bool) -> None:
    assert (told(found).title, told(found).changes) == (title, changes)


@pytest.mark.parametrize(
    ("reason", "why"), [("Idle", "nothing had happened"), ("MaxAge", "as long as servers may"), (None, "Start it")]
)
def test_who_was_stopped_reads_why(reason: str | None, why: str) -> None:
    assert why in told(document({"phase": "Stopped", "reason": reason}, state="stopped")).text


def test_what_was_chosen_since_waits_for_a_restart() -> None:
    waiting = {"phase": "Ready", "message": "A change waits for the next start."}
    assert waits_for_restart(document(waiting))
    assert not waits_for_restart(document({"phase": "Ready"}))
    assert not waits_for_restart(document(waiting, restart=True))
