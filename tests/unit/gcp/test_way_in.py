"""How people reach the proxy in the cloud, and what watches over the system."""

import io
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cloudevents.http import CloudEvent

from kupyterhub import settings as controller
from kupyterhub.reconcile import Outcome
from kupyterhub.reporting import json_lines
from kupyterhub.reporting.reporter import Reporter
from kupyterhub.reporting.telemetry import Off
from kupyterhub_proxy import settings
from terraform import scripts
from terraform.roots import Plan, Root
from terraform.ways import WAYS

Way = Callable[[str], Plan]


def test_a_gateway_finds_address_and_certificate_by_name(system_plan: Way) -> None:
    plan = system_plan("self-hosted")
    assert plan.outputs["gateway"] == {
        "address": "kupyterhub-proxy",
        "certificate_map": "kupyterhub-proxy",
        "domain": "notebooks.example.com",
        "ssl_policy": "kupyterhub-proxy",
    }
    assert (
        plan.of("google_certificate_manager_certificate_map_entry")["proxy[0]"]["hostname"]
        == "*.notebooks.example.com"
    )


@pytest.mark.parametrize("identity", ["oidc", "iap"])
def test_the_servers_yaml_is_filled_from_what_terraform_says(
    identity: str, system_plan: Way, system_root: Root
) -> None:
    iap = {"mode": "iap", "audience": "/projects/1/global/backendServices/2", "client_id": "client"}
    way = "self-hosted"
    plan = system_plan(way) if identity == "oidc" else system_root.plan(**WAYS[way] | {"identity": iap})
    overlay = scripts.load("infra/cluster/proxy/overlay.py")
    files = overlay.files({name: {"value": value} for name, value in plan.outputs.items()}, "../proxy")
    assert "TOPIC=projects/my-project/topics/agent-events\n" in files["values/values.env"]
    text = plan.of("google_secret_manager_secret_version")["settings"]["secret_data"]
    assert controller.parse(text).identity.mode == identity


def test_old_tls_is_refused(system_plan: Way) -> None:
    assert system_plan("self-hosted").of("google_compute_ssl_policy")["proxy[0]"]["min_tls_version"] == "TLS_1_2"


def test_a_person_is_told_the_records_to_make(system_plan: Way) -> None:
    plan = system_plan("self-hosted")
    assert plan.outputs["dns_records"] == {
        "certificate": {"name": "_acme.example.com.", "type": "CNAME", "data": "x.authorize.example."},
        "wildcard": {"name": "*.notebooks.example.com.", "type": "A", "data": "203.0.113.7"},
    }
    assert not [record for record in plan.of("google_dns_record_set") if record.startswith("proxy[")]


def test_with_a_zone_the_records_are_made(system_plan: Way) -> None:
    records = system_plan("cloud-run").of("google_dns_record_set")
    assert {name for name in records if name.startswith("proxy[")} == {'proxy["certificate"]', 'proxy["wildcard"]'}


def test_the_hosted_proxy_needs_no_way_in(system_plan: Way) -> None:
    plan = system_plan("hosted")
    assert not [name for name in plan.types if name.startswith("google_certificate_manager_")]
    assert "google_compute_global_address" not in plan.types
    assert plan.outputs["gateway"] is None


@pytest.fixture
def server(system_plan: Way) -> dict[str, Any]:
    return system_plan("cloud-run").of("google_cloud_run_v2_service")['proxy["run"]']


def test_cloud_run_has_exactly_one_instance_behind_the_load_balancer(
    server: dict[str, Any], system_plan: Way
) -> None:
    template = server["template"][0]
    assert template["scaling"][0] == {"max_instance_count": 1, "min_instance_count": 1}
    assert template["timeout"] == "3600s"
    assert server["ingress"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    assert "google_compute_global_forwarding_rule" in system_plan("cloud-run").types


def test_on_gke_there_is_no_cloud_run(system_plan: Way) -> None:
    assert "google_cloud_run_v2_service" not in system_plan("self-hosted").types


def test_the_server_takes_the_environment_that_cloud_run_gives(server: dict[str, Any], tmp_path: Path) -> None:
    template = server["template"][0]
    container = template["containers"][0]
    mounted = {mount["mount_path"] for mount in container["volume_mounts"]}
    environment = {}
    for variable in container["env"]:
        value = variable["value"]
        if value.startswith("/"):
            assert str(Path(value).parent) in mounted
            file = tmp_path / Path(value).name
            file.write_text("0" * settings.KEY_BYTES)
            value = str(file)
        environment[variable["name"]] = value
    assert settings.read(environment).topic == "projects/my-project/topics/agent-events"


def test_the_servers_secrets_are_not_in_terraforms_state(system_plan: Way) -> None:
    plan = system_plan("cloud-run")
    versions = plan.of("google_secret_manager_secret_version")
    assert {name for name in versions if name.startswith("proxy[")} == {'proxy["admins"]', 'proxy["agent-issuers"]'}
    issuers = json.loads(versions['proxy["agent-issuers"]']["secret_data"])
    assert issuers == [plan.outputs["agent_issuer"]]


def test_alerts_are_mailed_to_whom_the_variables_name(system_plan: Way) -> None:
    plan = system_plan("everything")
    assert {a["display_name"] for a in plan.of("google_monitoring_alert_policy").values()} == {
        "kupyterhub: messages that no function could handle",
        "kupyterhub: functions fail",
        "kupyterhub: notebooks do not start",
        "kupyterhub: new settings would stop many people",
    }
    channels = plan.of("google_monitoring_notification_channel").values()
    assert [channel["labels"]["email_address"] for channel in channels] == ["admin@example.com"]


def test_the_dashboard_shows_what_alerts_look_at(system_plan: Way) -> None:
    board = json.loads(system_plan("self-hosted").of("google_monitoring_dashboard")["dashboard"]["dashboard_json"])
    tiles = board["mosaicLayout"]["tiles"]
    assert len({(tile["xPos"], tile["yPos"]) for tile in tiles}) == len(tiles) == 8


def test_a_budget_is_of_this_project_alone(system_plan: Way) -> None:
    budget = system_plan("everything").of("google_billing_budget")["project[0]"]
    assert budget["budget_filter"][0]["projects"] == ["projects/123456789012"]
    assert "google_billing_budget" not in system_plan("self-hosted").types


COUNTED: dict[str, tuple[str, Outcome, set[str]]] = {
    "a user who does not start": (
        "user-written",
        Outcome("ada\nlovelace", "Failed", "status written", "Provisioning", "QuotaExceeded"),
        {"events", "milliseconds", "not-ready"},
    ),
    "a user who is ready": (
        "user-written",
        Outcome("ada", "Ready", "users/bob: Failed ", "Provisioning", "Ready"),
        {"events", "milliseconds"},
    ),
    "settings that stop many": (
        "resync",
        Outcome("*", None, "resync all", reason="PolicyHeld"),
        {"events", "milliseconds", "policy-held"},
    ),
    "one whom they would stop": (
        "reconcile-user",
        Outcome("ada", "Ready", "held back", "Ready", "PolicyHeld"),
        {"events", "milliseconds"},
    ),
}


@pytest.mark.parametrize(("function", "outcome", "counted"), COUNTED.values(), ids=COUNTED)
def test_the_log_of_an_outcome_is_what_alerts_and_dashboard_count(
    function: str, outcome: Outcome, counted: set[str], system_plan: Way
) -> None:
    (line,) = _logged(function, outcome)
    metrics = system_plan("self-hosted").of("google_logging_metric")
    found = {metric["name"]: metric for metric in metrics.values() if _matches(metric["filter"], line)}
    assert set(found) == {f"kupyterhub/{name}" for name in counted}
    for metric in found.values():
        extracted = {*(metric.get("label_extractors") or {}).values(), metric.get("value_extractor")} - {None, ""}
        assert {field.removeprefix("EXTRACT(jsonPayload.").removesuffix(")") for field in extracted} <= set(line)


def _logged(function: str, outcome: Outcome) -> list[dict[str, Any]]:
    """The lines of one event, as they leave the function."""
    text = io.StringIO()
    handler, log = json_lines.handler(text), logging.Logger(json_lines.OURS)  # noqa: LOG001 - of this test alone
    log.addHandler(handler)
    event = CloudEvent({"id": "1", "source": "//test", "type": "test"})
    Reporter(log, Off(), "my-project").report(function, event, lambda: [outcome])
    return [json.loads(line) for line in text.getvalue().splitlines()]


def _matches(query: str, line: dict[str, Any]) -> bool:
    """What of Cloud Logging's query language the metrics use: conditions on fields, all of which have to hold."""
    conditions = re.findall(r'jsonPayload\.(\w+)(?: = "(.*?)"|:\*)', query)
    assert len(conditions) == query.count("jsonPayload.")
    return all(line.get(field) == value if value else field in line for field, value in conditions)
