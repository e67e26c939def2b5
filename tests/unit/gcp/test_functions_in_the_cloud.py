"""The five functions as Google Cloud is to run them."""

import ast
import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from kupyterhub import settings
from kupyterhub.adapters import bus
from kupyterhub.domain.settings import Limits
from kupyterhub.events import Message, resync_mode
from kupyterhub.reporting import telemetry
from terraform.roots import CHECKOUT, Plan, Root
from terraform.ways import WAYS

Way = Callable[[str], Plan]


@pytest.fixture
def functions(system_plan: Way) -> dict[str, dict[str, Any]]:
    planned = system_plan("self-hosted").of("google_cloudfunctions2_function").values()
    return {function["build_config"][0]["entry_point"]: function for function in planned}


def _service(function: dict[str, Any]) -> dict[str, Any]:
    service: dict[str, Any] = function["service_config"][0]
    return service


def test_each_entry_point_is_a_function(functions: dict[str, dict[str, Any]]) -> None:
    tree = ast.parse((CHECKOUT / "functions/main.py").read_text())
    assert set(functions) == {f.name for f in tree.body if isinstance(f, ast.FunctionDef) and f.decorator_list}


def test_they_are_built_from_the_repositorys_root(functions: dict[str, dict[str, Any]]) -> None:
    for function in functions.values():
        source = function["build_config"][0]["environment_variables"]["GOOGLE_FUNCTION_SOURCE"]
        assert (CHECKOUT / source).is_file()


def test_a_written_document_wakes_one_where_the_documents_are(functions: dict[str, dict[str, Any]]) -> None:
    trigger = functions["on_user_written"]["event_trigger"][0]
    filters = {f["attribute"]: (f["value"], f.get("operator")) for f in trigger["event_filters"]}
    assert trigger["event_type"] == "google.cloud.firestore.document.v1.written"
    assert trigger["trigger_region"] == "eur3"
    assert filters["document"] == ("users/{user}", "match-path-pattern")
    assert filters["database"][0] == "(default)"


def test_messages_wake_the_others(functions: dict[str, dict[str, Any]]) -> None:
    for name in set(functions) - {"on_user_written"}:
        trigger = functions[name]["event_trigger"][0]
        assert trigger["event_type"] == "google.cloud.pubsub.topic.v1.messagePublished"
        assert trigger["trigger_region"] == "europe-west1"


def test_an_event_that_fails_is_delivered_again(functions: dict[str, dict[str, Any]]) -> None:
    assert {f["event_trigger"][0]["retry_policy"] for f in functions.values()} == {"RETRY_POLICY_RETRY"}


def test_as_many_events_come_at_once_as_there_are_threads(functions: dict[str, dict[str, Any]]) -> None:
    for function in functions.values():
        service = _service(function)
        assert service["environment_variables"]["THREADS"] == str(service["max_instance_request_concurrency"]) == "8"
        assert service["available_cpu"] == "1"


def test_nothing_from_the_internet_reaches_them(functions: dict[str, dict[str, Any]]) -> None:
    assert {_service(f)["ingress_settings"] for f in functions.values()} == {"ALLOW_INTERNAL_ONLY"}


def test_the_triggers_account_is_the_only_invoker(system_plan: Way) -> None:
    bindings = system_plan("self-hosted").of("google_cloud_run_service_iam_binding").values()
    assert len(bindings) == 5
    for binding in bindings:
        assert binding["members"] == ["serviceAccount:kupyterhub-trigger@my-project.iam.gserviceaccount.com"]


def test_each_has_an_account_of_its_own(functions: dict[str, dict[str, Any]]) -> None:
    accounts = {_service(f)["service_account_email"] for f in functions.values()}
    assert len(accounts) == len(functions)


def test_the_files_that_their_environment_names_are_mounted(functions: dict[str, dict[str, Any]]) -> None:
    for function in functions.values():
        service = _service(function)
        mounted = {
            f"{volume['mount_path']}/{volume['versions'][0]['path']}": volume["secret"]
            for volume in service["secret_volumes"]
        }
        assert mounted == {
            service["environment_variables"]["KUPYTERHUB_SETTINGS"]: "kupyterhub-settings",
            service["environment_variables"]["KUPYTERHUB_MASTER_SECRET_FILE"]: "kupyterhub-master-secret",
        }


def test_log_lines_name_traces_of_this_project(functions: dict[str, dict[str, Any]]) -> None:
    assert {_service(f)["environment_variables"]["GOOGLE_CLOUD_PROJECT"] for f in functions.values()} == {
        "my-project"
    }


def test_traces_and_metrics_are_sent_where_that_is_asked_for_alone(system_plan: Way) -> None:
    def plan(way: str) -> tuple[set[str], set[str], set[str]]:
        made = system_plan(way)
        functions = made.of("google_cloudfunctions2_function").values()
        variables = [_service(f)["environment_variables"].items() for f in functions]
        said = {f"{name}={value}" for each in variables for name, value in each if name.startswith("OTEL_")}
        apis = {name for name in made.of("google_project_service") if "telemetry" in name or "trace" in name}
        grants = made.of("google_project_iam_member").values()
        return said, apis, {grant["role"] for grant in grants if "telemetry" in grant["role"]}

    assert plan("self-hosted") == (set(), set(), set())
    assert plan("everything") == (
        {
            f"{telemetry.ENDPOINT}=https://telemetry.googleapis.com",
            "OTEL_RESOURCE_ATTRIBUTES=cloud.region=europe-west1,gcp.project_id=my-project",
        },
        {'apis["cloudtrace.googleapis.com"]', 'apis["telemetry.googleapis.com"]'},
        {"roles/telemetry.metricsWriter", "roles/telemetry.tracesWriter"},
    )


def test_a_collector_of_ones_own_needs_no_right(system_root: Root) -> None:
    made = system_root.plan(**WAYS["self-hosted"] | {"telemetry_endpoint": "http://collector:4318"})
    functions = made.of("google_cloudfunctions2_function").values()
    assert {_service(f)["environment_variables"][telemetry.ENDPOINT] for f in functions} == {"http://collector:4318"}
    assert not [g for g in made.of("google_project_iam_member").values() if "telemetry" in g["role"]]


def test_all_take_the_same_version_of_the_master_secret(functions: dict[str, dict[str, Any]]) -> None:
    versions = {
        volume["versions"][0]["version"]
        for f in functions.values()
        for volume in _service(f)["secret_volumes"]
        if volume["secret"] == "kupyterhub-master-secret"  # noqa: S105 - its name
    }
    assert versions == {"1"}


def test_topics_are_those_that_the_code_knows(system_plan: Way) -> None:
    topics = {t["name"] for t in system_plan("self-hosted").of("google_pubsub_topic").values()}
    assert {t for t in topics if not t.endswith("-dead")} == {"delete-user", "agent-events", "resync", bus.TOPIC}


def test_what_a_function_cannot_handle_is_kept_for_seven_days(system_plan: Way) -> None:
    plan = system_plan("self-hosted")
    functions = {f["name"] for f in plan.of("google_cloudfunctions2_function").values()}
    kept = plan.of("google_pubsub_subscription").values()
    assert {f"kupyterhub-{s['name'].removesuffix('-dead')}" for s in kept} == functions
    assert {s["message_retention_duration"] for s in kept} == {"604800s"}
    assert set(plan.outputs["dead_letters"]) == {f.removeprefix("kupyterhub-") for f in functions}


def test_each_minute_the_due_are_looked_at_and_each_hour_all(system_plan: Way) -> None:
    jobs = system_plan("self-hosted").of("google_cloud_scheduler_job").values()
    told = {
        resync_mode(Message(base64.b64decode(job["pubsub_target"][0]["data"]), datetime.now(UTC))): job["schedule"]
        for job in jobs
        if job["pubsub_target"]
    }
    assert told == {"due": "* * * * *", "all": "0 * * * *"}


@pytest.mark.parametrize("way", ["self-hosted", "cloud-run", "hosted", "everything"])
def test_the_settings_are_such_as_the_functions_take(way: str, system_plan: Way) -> None:
    text = system_plan(way).of("google_secret_manager_secret_version")["settings"]["secret_data"]
    parsed = settings.parse(text)
    assert parsed.clusters[0].endpoint == "https://gke-0a1b.europe-west1.gke.goog"
    assert parsed.images.agent == "europe-west1-docker.pkg.dev/my-project/kupyterhub/agent:0a1b2c3"
    assert parsed.proxy == ("hosted" if way == "hosted" else "self-hosted")


def test_that_new_settings_stop_many_can_be_said_to_be_meant(system_plan: Way) -> None:
    def limits(way: str) -> Limits:
        text = system_plan(way).of("google_secret_manager_secret_version")["settings"]["secret_data"]
        return settings.parse(text).limits

    assert (limits("everything").looks_per_minute, limits("everything").stopped_by_settings) == (100, 1)
    assert limits("self-hosted") == Limits()


def test_agents_in_the_servers_cluster_dial_each_of_its_replicas(system_plan: Way) -> None:
    def service(way: str) -> str | None:
        text = system_plan(way).of("google_secret_manager_secret_version")["settings"]["secret_data"]
        return settings.parse(text).proxy_service

    assert service("self-hosted") == "http://proxy-agents.kupyterhub-proxy.svc.cluster.local:8080"
    assert service("cloud-run") is None


def test_a_profile_is_written_as_its_variables_say(system_plan: Way) -> None:
    text = system_plan("everything").of("google_secret_manager_secret_version")["settings"]["secret_data"]
    large = settings.parse(text).profiles["large"]
    assert (large.cpu, large.memory, large.ephemeral_storage, large.storage.size) == ("2", "8Gi", "9Gi", "50Gi")
    assert large.max_age is None


def test_a_profile_may_keep_notebooks_in_the_bucket(system_plan: Way) -> None:
    text = system_plan("everything").of("google_secret_manager_secret_version")["settings"]["secret_data"]
    parsed = settings.parse(text)
    course = parsed.profiles["course"]
    assert (course.storage.kind, course.gpu.type, course.egress) == ("gcs", "nvidia-l4", "pypi")
    assert [(folder.name, folder.access) for folder in course.shared_folders] == [
        ("course", "read"),
        ("team", "write"),
    ]
    assert (parsed.bucket.name, parsed.bucket.project_number) == ("my-project-kupyterhub-notebooks", "123456789012")
