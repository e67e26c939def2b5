"""The portal as Google Cloud is to run it: a function behind a load balancer, which nobody calls past its sign-in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kupyterhub_portal.settings import Iap, PortalSettings, SignInHost, read
from terraform.roots import CHECKOUT, Plan, Root
from terraform.ways import SELF_HOSTED

Way = Callable[[str], Plan]
PORTALS = ("cloud-run", "everything", "hosted-portal", "self-hosted by iap")
AUDIENCE = "/projects/123456789012/global/backendServices/4567890123456789012"
OURS = SignInHost("https://login.notebooks.example.com")
IAP = {"mode": "iap", "audience": "/projects/1/global/backendServices/2", "client_id": "client"}


@pytest.fixture(scope="session")
def portal_plan(system_plan: Way, system_root: Root) -> Way:
    by_iap: list[Plan] = []

    def plan(way: str) -> Plan:
        if way != "self-hosted by iap":
            return system_plan(way)
        if not by_iap:
            by_iap.append(system_root.plan(**SELF_HOSTED | {"identity": IAP, "portal": {}}))
        return by_iap[0]

    return plan


def _function(plan: Plan) -> dict[str, Any]:
    return plan.of("google_cloudfunctions2_function")['portal["portal"]']


def _service(plan: Plan) -> dict[str, Any]:
    service: dict[str, Any] = _function(plan)["service_config"][0]
    return service


def _read(plan: Plan, folder: Path) -> PortalSettings:
    """Read the environment that the function gets, with files where its secrets are mounted."""
    service = _service(plan)
    mounted = {f"{each['mount_path']}/{each['versions'][0]['path']}" for each in service["secret_volumes"]}
    environment = {}
    for variable, value in service["environment_variables"].items():
        environment[variable] = value
        if value.startswith("/etc/"):
            assert value in mounted, variable
            file = folder / Path(value).name
            file.write_text("0" * 64)
            environment[variable] = str(file)
    settings = plan.of("google_secret_manager_secret_version")["settings"]["secret_data"]
    Path(environment["KUPYTERHUB_SETTINGS"]).write_text(settings)
    return read(environment)


def test_without_a_portal_there_is_nothing_of_it(system_plan: Way) -> None:
    for way in ("self-hosted", "hosted"):
        plan = system_plan(way)
        assert [name for name in plan.types for address in plan.of(name) if address.startswith("portal[")] == []
        assert "portal" not in plan.outputs or plan.outputs["portal"] is None


@pytest.mark.parametrize("way", PORTALS)
def test_it_is_built_from_the_archive_of_the_others(way: str, portal_plan: Way) -> None:
    build = _function(portal_plan(way))["build_config"][0]
    source = CHECKOUT / build["environment_variables"]["GOOGLE_FUNCTION_SOURCE"]
    assert f"\ndef {build['entry_point']}(" in source.read_text()
    others = portal_plan(way).of("google_cloudfunctions2_function")
    assert {str(function["build_config"][0]["source"]) for function in others.values()} == {str(build["source"])}


@pytest.mark.parametrize("way", PORTALS)
def test_nothing_but_the_load_balancer_reaches_it_from_the_internet(way: str, portal_plan: Way) -> None:
    assert _service(portal_plan(way))["ingress_settings"] == "ALLOW_INTERNAL_AND_GCLB"


@pytest.mark.parametrize(
    ("way", "origin", "identity"),
    [
        ("cloud-run", "https://portal.notebooks.example.com", OURS),
        ("everything", "https://portal.notebooks.example.com", OURS),
        ("hosted-portal", "https://portal.example.com", Iap(AUDIENCE)),
        ("self-hosted by iap", "https://portal.notebooks.example.com", Iap(AUDIENCE)),
    ],
)
def test_it_takes_the_environment_that_it_gets(
    way: str, origin: str, identity: Iap | SignInHost, portal_plan: Way, tmp_path: Path
) -> None:
    plan = portal_plan(way)
    settings = _read(plan, tmp_path)
    assert settings.origin == origin == plan.outputs["portal"]["url"]
    assert settings.identity == identity


def test_what_people_may_do_there_by_themselves_is_in_the_settings(portal_plan: Way, tmp_path: Path) -> None:
    settings = _read(portal_plan("everything"), tmp_path).of_users
    assert settings.self_enrolment is True
    assert settings.profiles["large"].allowed == ("ada@example.com",)


@pytest.mark.parametrize("way", ["hosted-portal", "self-hosted by iap"])
def test_identity_aware_proxy_stands_before_it_and_alone_calls_it(way: str, portal_plan: Way) -> None:
    plan = portal_plan(way)
    assert plan.of("google_compute_backend_service")['portal["portal"]']["iap"][0]["enabled"] is True
    invokers = plan.of("google_cloud_run_service_iam_binding")['portal["portal"]']["members"]
    assert invokers == ["serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"]
    assert plan.outputs["portal"]["iap_client"] == "client"


@pytest.mark.parametrize("way", ["cloud-run", "everything"])
def test_a_portal_that_sends_people_to_our_sign_in_host_has_no_identity_aware_proxy(
    way: str, portal_plan: Way
) -> None:
    plan = portal_plan(way)
    assert plan.of("google_compute_backend_service")['portal["portal"]']["iap"] == []
    assert "iap_client" not in plan.outputs["portal"] or plan.outputs["portal"]["iap_client"] is None


@pytest.mark.parametrize("way", PORTALS)
def test_it_holds_nothing_by_which_it_could_sign_people_in(way: str, portal_plan: Way) -> None:
    secrets = {each["secret"] for each in _service(portal_plan(way))["secret_volumes"]}
    assert secrets == {"kupyterhub-portal-session-key", "kupyterhub-settings"}


@pytest.mark.parametrize("way", PORTALS)
def test_the_load_balancer_leads_to_the_function_that_is_made(way: str, portal_plan: Way) -> None:
    plan = portal_plan(way)
    group = plan.of("google_compute_region_network_endpoint_group")['portal["portal"]']
    assert group["cloud_run"][0]["service"] == _function(plan)["name"]
    assert group["region"] == _function(plan)["location"]


def test_with_the_server_on_cloud_run_it_is_a_host_of_that_load_balancer(portal_plan: Way) -> None:
    plan = portal_plan("cloud-run")
    assert list(plan.of("google_compute_global_forwarding_rule")) == ['proxy["run"]']
    rule = plan.of("google_compute_url_map")['proxy["run"]']["host_rule"][0]
    assert (rule["hosts"], rule["path_matcher"]) == (["portal.notebooks.example.com"], "portal")
    assert set(plan.outputs["dns_records"]) == {"certificate", "wildcard"}


@pytest.mark.parametrize("way", ["everything", "self-hosted by iap"])
def test_beside_a_gateway_it_has_an_address_and_the_wildcards_certificate(way: str, portal_plan: Way) -> None:
    plan = portal_plan(way)
    assert 'portal["portal"]' in plan.of("google_compute_global_forwarding_rule")
    assert "google_compute_managed_ssl_certificate" not in plan.types
    assert plan.outputs["dns_records"]["portal"] == {
        "name": "portal.notebooks.example.com.",
        "type": "A",
        "data": "203.0.113.7",
    }


def test_with_the_hosted_proxy_it_has_a_name_and_a_certificate_of_its_own(portal_plan: Way) -> None:
    plan = portal_plan("hosted-portal")
    certificate = plan.of("google_compute_managed_ssl_certificate")['portal["portal"]']
    assert certificate["managed"][0]["domains"] == ["portal.example.com"]
    assert plan.outputs["dns_records"] == {
        "portal": {"name": "portal.example.com.", "type": "A", "data": "203.0.113.7"}
    }
    assert plan.of("google_compute_ssl_policy")["proxy[0]"]["min_tls_version"] == "TLS_1_2"


def test_the_server_on_cloud_run_leads_there_who_opens_a_stopped_notebook(portal_plan: Way) -> None:
    run = portal_plan("cloud-run").of("google_cloud_run_v2_service")['proxy["run"]']
    environment = {each["name"]: each["value"] for each in run["template"][0]["containers"][0]["env"]}
    assert environment["KUPYTERHUB_PORTAL_URL"] == "https://portal.notebooks.example.com"


@pytest.mark.parametrize("way", PORTALS)
def test_it_is_watched_as_the_other_functions_are(way: str, portal_plan: Way) -> None:
    alerts = portal_plan(way).of("google_monitoring_alert_policy")
    alert = alerts['alerts["function-errors"]']["conditions"][0]["condition_threshold"][0]
    assert "|portal)" in alert["filter"]


def test_its_size_is_a_matter_of_variables(portal_plan: Way) -> None:
    service = _service(portal_plan("everything"))
    assert (service["min_instance_count"], service["max_instance_count"]) == (1, 5)
    assert service["environment_variables"]["THREADS"] == str(service["max_instance_request_concurrency"]) == "8"
