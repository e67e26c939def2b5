"""What outlives the system: notebooks, documents, the master secret and snapshots."""

import re

import pytest

from terraform.roots import Plan, Root, TerraformError
from terraform.ways import DATA


def test_notebooks_are_granted_by_iam_alone_and_never_to_the_public(data_plan: Plan) -> None:
    bucket = data_plan.of("google_storage_bucket")["notebooks"]
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["public_access_prevention"] == "enforced"


def test_deleted_notebooks_can_be_brought_back_for_a_week(data_plan: Plan) -> None:
    bucket = data_plan.of("google_storage_bucket")["notebooks"]
    assert bucket["soft_delete_policy"][0]["retention_duration_seconds"] == 7 * 24 * 60 * 60


def test_nothing_is_deleted_while_protection_is_on(data_plan: Plan) -> None:
    assert data_plan.of("google_storage_bucket")["notebooks"]["force_destroy"] is False
    database = data_plan.of("google_firestore_database")["users"]
    assert (database["delete_protection_state"], database["deletion_policy"]) == (
        "DELETE_PROTECTION_ENABLED",
        "ABANDON",
    )
    assert data_plan.of("google_secret_manager_secret")["master"]["deletion_protection"] is True


def test_everything_is_deleted_once_protection_is_off(data_root: Root) -> None:
    plan = data_root.plan(**DATA, deletion_protection=False)
    assert plan.of("google_storage_bucket")["notebooks"]["force_destroy"] is True
    database = plan.of("google_firestore_database")["users"]
    assert (database["delete_protection_state"], database["deletion_policy"]) == (
        "DELETE_PROTECTION_DISABLED",
        "DELETE",
    )
    assert plan.of("google_secret_manager_secret")["master"]["deletion_protection"] is False


def test_documents_can_be_read_as_they_were_days_ago(data_plan: Plan) -> None:
    database = data_plan.of("google_firestore_database")["users"]
    assert database["name"] == "(default)"
    assert database["point_in_time_recovery_enablement"] == "POINT_IN_TIME_RECOVERY_ENABLED"


def test_what_the_controller_looks_for_is_indexed(data_plan: Plan) -> None:
    fields = data_plan.of("google_firestore_field").values()
    indexes = {field["field"]: field["index_config"][0]["indexes"] for field in fields}
    for name in ("status.email", "status.nextLookAt", "status.settings"):
        assert [index["order"] for index in indexes[name]] == ["ASCENDING"]
    assert [index["array_config"] for index in indexes["status.terms"]] == ["CONTAINS"]


def test_what_is_only_read_costs_no_index(data_plan: Plan) -> None:
    fields = data_plan.of("google_firestore_field").values()
    unindexed = {field["field"] for field in fields if not field["index_config"][0]["indexes"]}
    assert unindexed == {"status.changes", "status.message", "expireAt"}


def test_what_happened_goes_when_its_days_are_over(data_plan: Plan) -> None:
    fields = data_plan.of("google_firestore_field").values()
    assert [(each["collection"], each["field"]) for each in fields if each["ttl_config"]] == [("history", "expireAt")]


def test_a_browser_writes_no_document(data_plan: Plan) -> None:
    rules = data_plan.of("google_firebaserules_ruleset")["users"]["source"][0]["files"][0]["content"]
    # What they let through is tried with the emulator: tests/cluster/portal/test_firestore_rules.py.
    assert [line.strip() for line in rules.splitlines() if "allow" in line and "write" in line] == [
        "allow list, write: if false;",
        "allow read, write: if false;",
    ]
    assert data_plan.of("google_firebaserules_release")["users"]["name"] == "cloud.firestore"


def test_a_browser_sees_users_alone(data_plan: Plan) -> None:
    rules = data_plan.of("google_firebaserules_ruleset")["users"]["source"][0]["files"][0]["content"]
    # What the functions keep beside users (names, asked, controller) has no rule of its own but the one for all else.
    assert re.findall(r"match /([^ ]+) ", rules) == [
        "databases/{database}/documents",
        "users/{user}",
        "{document=**}",
    ]


def test_no_secret_is_in_terraforms_state(data_plan: Plan) -> None:
    assert "google_secret_manager_secret_version" not in data_plan.types


def test_snapshots_of_a_purged_disk_go_when_their_days_are_over(data_plan: Plan) -> None:
    policy = data_plan.of("google_compute_resource_policy")["homes"]["snapshot_schedule_policy"][0]
    assert policy["schedule"][0]["daily_schedule"][0]["days_in_cycle"] == 1
    assert policy["retention_policy"][0]["on_source_disk_delete"] == "APPLY_RETENTION_POLICY"


def test_wrong_variables_are_refused_in_words(data_root: Root) -> None:
    wrong = {
        "firestore_location": "europe",
        "notebooks": {"soft_delete_days": 3},
        "project_id": "My project",
        "region": "europe-west1-b",
        "snapshots": {"start_time": "2:30"},
    }
    with pytest.raises(TerraformError) as refusal:
        data_root.plan(**wrong)
    for words in (
        "one of the multi-regions nam5 and eur3",
        "or from 7 to 90",
        "Give the project's id",
        "a zone has one letter more",
        "snapshots.start_time is a full hour",
    ):
        assert words in str(refusal.value), words
