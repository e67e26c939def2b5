"""What the doctor finds, and what it says to do."""

from datetime import timedelta
from typing import Any

import pytest

from kupyterhub_cli.doctor import cloud, documents
from kupyterhub_cli.doctor.cloud import Cloud
from kupyterhub_cli.doctor.finding import Finding, looked
from kupyterhub_cli.place import Place
from unit.cli.stage import NOW, FakeGoogle, FakeUsers, FakeWeb, Stage, make

P = "projects/p"
WELL: dict[str, dict[str, Any]] = {
    "testIamPermissions": {"permissions": list(cloud.PERMISSIONS)},
    "serviceusage": {"services": [{"name": f"{P}/services/{api}.googleapis.com"} for api in cloud.APIS]},
    "/topics": {"topics": [{"name": f"{P}/topics/{topic}"} for topic in cloud.TOPICS]},
    "/functions": {
        "functions": [
            {"name": f"{P}/locations/eu/functions/kupyterhub-{name}", "state": "ACTIVE"} for name in cloud.FUNCTIONS
        ]
    },
    "/jobs": {"jobs": [{"name": f"{P}/locations/eu/jobs/{job}", "state": "ENABLED"} for job in cloud.JOBS]},
    "/fields": {
        "fields": [
            {"name": f"x/fields/{field}", "indexConfig": {"indexes": [{"state": "READY"}]}} for field in cloud.INDEXED
        ]
    },
    "/clusters": {"clusters": [{"name": "kupyterhub", "status": "RUNNING"}]},
    "oldest_unacked": {},
    "num_undelivered": {},
}


def series(subscription: str, value: int) -> dict[str, Any]:
    labels = {"subscription_id": subscription}
    point = {"value": {"int64Value": str(value)}}
    return {"timeSeries": [{"resource": {"labels": labels}, "points": [point]}]}


def all_of(answers: dict[str, dict[str, Any]]) -> dict[str, Finding]:
    looks = Cloud(FakeGoogle(answers), "p", lambda: NOW)
    checks = (looks.access, looks.apis, looks.topics, looks.functions, looks.queues, looks.indexes, looks.clusters)
    return {finding.what: finding for check in checks for finding in check()}


def test_a_project_that_is_well() -> None:
    assert {finding.verdict for finding in all_of(WELL).values()} == {"good"}


@pytest.mark.parametrize(
    ("part", "answer", "what", "said"),
    [
        ("testIamPermissions", {}, "your access", "roles/datastore.user"),
        ("serviceusage", {}, "APIs", "gcloud services enable"),
        ("/topics", {}, "topics", "infra/gcp/system"),
        ("/functions", {}, "functions", "gcloud functions list"),
        ("/jobs", {"jobs": [{"name": "x/kupyterhub-resync-due", "state": "PAUSED"}]}, "Cloud Scheduler", "resume"),
        ("/fields", {}, "indexes", "infra/gcp/data"),
        ("/clusters", {"clusters": [{"name": "k", "status": "ERROR"}]}, "cluster", "clusters list"),
        ("oldest_unacked", series("eventarc-eu-x-sub-1", 3600), "queues", "read its logs"),
        ("num_undelivered", series("delete-user-dead", 2), "dead letters", "delete-user-dead"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_illness_is_found_with_its_cure(part: str, answer: dict[str, Any], what: str, said: str) -> None:
    found = all_of({**WELL, part: answer})
    assert (found[what].verdict, said in found[what].advice) == ("bad", True)


def test_a_check_that_cannot_be_made_is_a_finding() -> None:
    (finding,) = looked("APIs", Cloud(FakeGoogle(), "p", lambda: NOW).apis)
    assert (finding.what, finding.verdict) == ("APIs", "bad")


@pytest.mark.parametrize(
    ("phase", "minutes", "verdict"),
    [
        ("Failed", 4, "good"),
        ("Failed", 6, "bad"),
        ("Provisioning", 30, "good"),
        ("Provisioning", 61, "bad"),
        ("Waiting", 600, "good"),
    ],
)
def test_functions_are_judged_by_who_is_due(phase: str, minutes: int, verdict: str) -> None:
    users = FakeUsers()
    user = users.put("ada@example.com")
    users.settle(user, phase, nextLookAt=NOW - timedelta(minutes=minutes))
    (finding,) = documents.due(users, NOW)
    assert finding.verdict == verdict


def test_a_document_that_nobody_looks_at_is_given_some_seconds(stage: Stage) -> None:
    user = stage.users.put("ada@example.com")
    (finding,) = documents.looked_at(stage.users, stage.sleep)
    assert finding.verdict == "bad"
    stage.on_sleep = lambda: stage.users.settle(user, "Ready")
    (finding,) = documents.looked_at(stage.users, stage.sleep)
    assert finding.verdict == "good"


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({}, "good"),
        ({"settings": "x", "stops": 0, "running": 24, "given": True}, "good"),
        ({"settings": "x", "stops": 6, "running": 24, "given": False}, "bad"),
    ],
    ids=["no resync yet", "given", "held"],
)
def test_settings_that_stop_nobody_since_they_would_stop_many_are_told_of(said: dict[str, Any], verdict: str) -> None:
    users = FakeUsers(said=said)
    (finding,) = documents.settings(users)
    assert finding.verdict == verdict
    if verdict == "bad":
        assert "6 of 24" in finding.detail
        assert "limits.stoppedBySettings" in finding.advice


def test_who_fails_is_counted_by_the_reason() -> None:
    users = FakeUsers()
    for number, reason in enumerate(("NoPod", "QuotaExceeded", "QuotaExceeded")):
        users.settle(users.put(f"u{number}@example.com"), "Failed", reason=reason)
    users.settle(users.put("odd@example.com"), "Rejected")
    rejected, failed = documents.trouble(users)
    assert (failed.verdict, failed.detail) == ("bad", "3 (QuotaExceeded 2, NoPod 1)")
    assert "docs/users.md" in failed.advice
    assert rejected.detail == "1"


def test_of_very_many_who_fail_some_are_asked_why() -> None:
    users = FakeUsers()
    for number in range(301):
        users.settle(users.put(f"u{number}@example.com"), "Failed", reason="QuotaExceeded")
    *_, failed = documents.trouble(users)
    assert failed.detail == "301 (of the first 300: QuotaExceeded 300)"


def test_the_doctor_ends_with_five_where_something_is_not_well(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    vars(stage.session)["web"] = FakeWeb(None)
    assert stage.run("doctor") == 5
    assert "NOT OK proxy" in capsys.readouterr().out


def test_in_the_cloud_every_part_is_looked_at(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    in_cloud = make(stage.session.folder, Place("p"))
    vars(in_cloud.session)["google"] = FakeGoogle(WELL)
    assert in_cloud.run("doctor") == 0
    shown = capsys.readouterr().out
    assert "dead letters: none" in shown
    assert "NOT OK" not in shown
