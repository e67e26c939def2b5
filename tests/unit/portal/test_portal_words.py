"""How it stands with a server, in words that do not frighten."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import reasons
from kupyterhub import settings as files
from kupyterhub.domain.phases import WAITS
from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain.lately import lately
from kupyterhub_portal.domain.verdicts import verdict_of
from kupyterhub_portal.domain.words import Words, waits_for_restart, words
from kupyterhub_rules.stored import observed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = files.parse(
    "{domain: 'localhost:1', allowedEmails: ['*@example.com'], "
    "images: {agent: a, jupyterlab: j}, profiles: {default: {}}}"
)


def document(status: dict[str, Any] | None = None, **fields: Any) -> UserDocument:
    stored: dict[str, Any] = {"email": "ada@example.com", **fields}
    if status is not None:
        stored["status"] = {"observed": observed(stored), **status}
    return UserDocument("u", stored, NOW, NOW)


def told(found: UserDocument) -> Words:
    return words(found, verdict_of(found, SETTINGS, NOW))


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


@pytest.mark.parametrize("reason", sorted(reasons.starting() - {"Starting"}))
def test_what_a_start_waits_for_has_words_of_its_own(reason: str) -> None:
    starts = told(document({"phase": "Provisioning", "reason": "Starting", "message": "JupyterLab is starting."}))
    waits = told(document({"phase": "Provisioning", "reason": reason, "message": "as Kubernetes says"}))
    assert "as Kubernetes says" not in waits.text
    assert waits.text != starts.text
    assert waits.step is not None


@pytest.mark.parametrize("reason", sorted(reasons.starting() | reasons.refused() | {"NotReadyInTime"}))
def test_whatever_fails_has_words(reason: str) -> None:
    failed = told(document({"phase": "Failed", "reason": reason, "message": "as Kubernetes says"}))
    assert "as Kubernetes says" not in failed.text
    assert failed.needs_help


@pytest.mark.parametrize("phase", ["Provisioning", "Failed"])
def test_a_reason_without_words_is_told_as_the_controller_tells_it(phase: str) -> None:
    assert told(document({"phase": phase, "reason": "New", "message": "It waits for the tide."})).text == (
        "It waits for the tide."
    )
    assert told(document({"phase": phase, "reason": "New"})).text


def test_a_change_that_is_refused_is_no_reason_to_restart() -> None:
    refused = document({"phase": "Ready", "reason": None, "message": "The quota people has no room."})
    assert not waits_for_restart(refused)
    assert "an administrator sees why" in told(refused).text
    assert "quota" not in told(refused).text


def test_who_is_not_allowed_any_more_is_told_so_when_they_are_stopped_and_not_before() -> None:
    email = "eve@evil.org"
    assert told(document({"phase": "Ready"}, email=email)).title == "Your server is running"
    assert told(document({"phase": "Rejected", "reason": "EmailNotAllowed"}, email=email)).needs_help
    assert "not among those" in told(document({"phase": "Ready", "observed": "other"}, email=email)).text
    assert "not among those" in told(document(email=email)).text


def test_what_happened_is_told_once_whether_or_not_it_was_moved_to_the_history() -> None:
    def change(phase: str, minute: int, **more: Any) -> dict[str, Any]:
        return {"phase": phase, "at": NOW + timedelta(minutes=minute), **more}

    changes = [change("Stopped", 2), change("Provisioning", 3), change("Ready", 4), "rubbish"]
    moved = [change("Stopped", 2, expireAt=NOW), change("Ready", 1, expireAt=NOW), {"at": "noon"}]
    found = lately(document({"changes": changes}), moved, 4)
    assert [each["phase"] for each in found] == ["Ready", "Provisioning", "Stopped", "Ready"]
    assert lately(document({"changes": changes}), moved, 5)[-1] == {"at": "noon"}


def test_what_was_chosen_since_waits_for_a_restart() -> None:
    waiting = {"phase": "Ready", "message": WAITS}
    assert waits_for_restart(document(waiting))
    assert not waits_for_restart(document({"phase": "Ready"}))
    assert not waits_for_restart(document(waiting, restart=True))
