"""Each right that is given is on the written list, with its reason, and nothing is on the list that is not given."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from terraform import scripts
from terraform.roots import CHECKOUT, ROOTS, Plan
from terraform.ways import PROJECT, WAYS

ENTRIES: list[dict[str, Any]] = yaml.safe_load((ROOTS / "iam.yaml").read_text())
FUNCTIONS = ("agent-event", "delete-user", "reconcile-user", "resync", "user-written")
PUBSUB = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
TRIGGER = "projects/my-project/locations/europe-west1/triggers/a-trigger"
Right = tuple[str, str, str]
_PLACES = {
    "google_project_iam_member": ("project", ""),
    "google_artifact_registry_repository_iam_member": ("repository ", "repository"),
    "google_pubsub_topic_iam_member": ("topic ", "topic"),
    "google_secret_manager_secret_iam_member": ("secret ", "secret_id"),
    "google_storage_bucket_iam_member": ("bucket ", "bucket"),
    "google_cloud_run_service_iam_binding": ("function ", "service"),
}


def _listed() -> set[Right]:
    rights = set()
    for entry in ENTRIES:
        for who in entry["who"]:
            for on in _each(entry["what"]):
                rights.add((who, entry["role"], on))
    return rights


def _each(on: str) -> list[str]:
    if on == "each function":
        return [f"function kupyterhub-{name}" for name in FUNCTIONS]
    if on == "Eventarc's subscription for each function":
        return [f"subscription of kupyterhub-{name}" for name in FUNCTIONS]
    if on == "each dead-letter topic":
        return [f"topic {name}-dead" for name in FUNCTIONS]
    return [on]


def _given(plan: Plan) -> set[Right]:
    rights = set()
    for type_name, (place, field) in _PLACES.items():
        for right in plan.of(type_name).values():
            on = place + (right[field] if field else "")
            for condition in right.get("condition") or []:
                on += f", where {condition['expression']}"
            for member in right.get("members") or [right["member"]]:
                rights.add((_who(member), right["role"].removeprefix(f"projects/{PROJECT}/roles/"), on))
    return rights


class Google:
    """Eventarc and Pub/Sub as infra/deploy/dead_letters.py meets them for the first time: what it gives is kept."""

    def __init__(self) -> None:
        self.bindings: list[dict[str, Any]] = []
        self._subscription: Mapping[str, Any] = {}

    def ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        match method, url:
            case "GET", trigger if "/triggers/" in trigger:
                return {"transport": {"pubsub": {"subscription": "projects/my-project/subscriptions/eventarc"}}}
            case "GET", topic if topic.endswith("-dead:getIamPolicy"):
                return {"bindings": [{"role": "roles/pubsub.publisher", "members": [PUBSUB]}]}
            case "GET", subscription if subscription.endswith(":getIamPolicy"):
                return {"bindings": self.bindings}
            case _ if body is not None and "policy" in body:
                self.bindings = body["policy"]["bindings"]
            case _ if body is not None:
                self._subscription = body["subscription"]
        return dict(self._subscription)


def _given_by_scripts(plan: Plan) -> set[Right]:
    dead_letters, rights = scripts.load("infra/deploy/dead_letters.py"), set()
    # Which triggers Eventarc makes is known once they are applied.
    outputs = {name: {"trigger": TRIGGER, **each} for name, each in plan.outputs["dead_letters"].items()}
    for letter in dead_letters.read({"dead_letters": {"value": outputs}}):
        google = Google()
        dead_letters.set_up(google, letter)
        for binding in google.bindings:
            for member in binding["members"]:
                rights.add((_who(member), binding["role"], f"subscription of kupyterhub-{letter.function}"))
    return rights


def _who(member: str) -> str:
    if member.startswith("principal://"):
        return member.rpartition("/subject/ns/kupyterhub-proxy/sa/")[2]
    if member == "allUsers":
        return "everybody"
    agent = re.fullmatch(r"serviceAccount:service-123456789012@gcp-sa-(\w+)\.iam\.gserviceaccount\.com", member)
    if agent is not None:
        return agent[1]
    found = re.fullmatch(r"serviceAccount:kupyterhub-([a-z-]+)@my-project\.iam\.gserviceaccount\.com", member)
    assert found is not None, f"{member} is nobody whom the list could name"
    return found[1]


@pytest.mark.parametrize("way", WAYS)
def test_no_right_is_given_without_a_reason(way: str, system_plan: Callable[[str], Plan]) -> None:
    plan = system_plan(way)
    assert (_given(plan) | _given_by_scripts(plan)) - _listed() == set()


def test_every_reason_is_of_a_right_that_is_given(system_plan: Callable[[str], Plan]) -> None:
    plans = [system_plan(way) for way in WAYS]
    assert _listed() - set().union(*(_given(plan) | _given_by_scripts(plan) for plan in plans)) == set()


@pytest.mark.parametrize("way", WAYS)
def test_rights_are_given_by_resources_that_this_test_reads(way: str, system_plan: Callable[[str], Plan]) -> None:
    giving = {name for name in system_plan(way).types if re.search(r"_iam_(member|binding|policy)$", name)}
    assert giving <= set(_PLACES)


def test_scripts_that_give_rights_are_those_that_this_test_knows() -> None:
    folders = ("infra/deploy", "infra/gcp", "cli")
    files = [file for folder in folders for file in (CHECKOUT / folder).rglob("*.[ps][yh]")]
    giving = re.compile(r"add-iam-policy-binding|set-?iam-?policy", re.IGNORECASE)
    found = {file.name for file in files if giving.search(file.read_text())}
    assert found == {
        "dead_letters.py",
        "preparing.py",
    }  # the latter gives infra/deploy/roles.txt, which has its reasons


def test_data_gives_nobody_anything(data_plan: Plan) -> None:
    assert not [name for name in data_plan.types if "_iam_" in name]


def test_each_reason_is_a_sentence() -> None:
    for entry in ENTRIES:
        assert entry["why"].endswith("."), entry
        assert len(entry["why"].split()) >= 5, entry


@pytest.mark.parametrize("way", WAYS)
def test_nobody_has_a_basic_role_and_the_public_a_sign_in_at_most(
    way: str, system_plan: Callable[[str], Plan]
) -> None:
    basic = {"roles/owner", "roles/editor", "roles/viewer"}
    given = _given(system_plan(way))
    assert not {role for _, role, _ in given} & basic
    assert {right for right in given if right[0] == "everybody"} <= {
        ("everybody", "roles/run.invoker", "function kupyterhub-portal")
    }


def test_a_custom_role_reads_no_notebook_and_no_object_of_the_cluster(system_plan: Callable[[str], Plan]) -> None:
    roles = system_plan("self-hosted").of("google_project_iam_custom_role").values()
    permissions = {permission for role in roles for permission in role["permissions"]}
    assert "storage.objects.get" not in permissions
    assert not {p for p in permissions if p.startswith("container.")} - {"container.clusters.connect"}


def test_notebooks_have_no_account_and_no_right_of_google(system_plan: Callable[[str], Plan]) -> None:
    assert not [who for who, _, _ in _given(system_plan("self-hosted")) if "notebook" in who]
