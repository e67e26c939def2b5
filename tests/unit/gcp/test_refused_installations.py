"""Combinations that cannot work are refused before anything is made, with words that say what to do."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from terraform.roots import ROOTS, Root, TerraformError
from terraform.ways import HOSTED, SELF_HOSTED, SYSTEM, WAYS


@pytest.fixture(scope="module")
def variables(schema: Path, tmp_path_factory: pytest.TempPathFactory) -> Root:
    """The system's variables alone: what they refuse is refused before anything else is looked at."""
    folder = tmp_path_factory.mktemp("variables")
    (folder / "source").mkdir()
    (folder / "functions.zip").write_bytes(b"the functions")
    shutil.copy(ROOTS / "system/variables.tf", folder / "source")
    return Root.copy(folder / "source", folder / "root", schema, {})


def _refusal(root: Root, values: dict[str, Any]) -> str:
    with pytest.raises(TerraformError) as refusal:
        root.plan(**values)
    return str(refusal.value)


@pytest.mark.parametrize("way", WAYS)
def test_what_works_is_not_refused(way: str, variables: Root) -> None:
    assert variables.plan(**WAYS[way]).types == set()


def test_the_hosted_proxy_is_refused_on_autopilot(variables: Root) -> None:
    said = _refusal(variables, HOSTED | {"autopilot": True})
    assert "which Autopilot lets no pod do: set autopilot = false" in said


def test_the_hosted_proxy_takes_neither_domain_nor_identity(variables: Root) -> None:
    said = _refusal(variables, SELF_HOSTED | {"proxy": "hosted"})
    assert "with proxy hosted Google gives the URLs, so leave domain out" in said
    assert "with proxy hosted Google signs people in, so leave it out" in said


def test_our_own_server_needs_domain_and_identity(variables: Root) -> None:
    said = _refusal(variables, SYSTEM)
    assert "With proxy self-hosted a domain is needed" in said
    assert "With proxy self-hosted give identity" in said


def test_identity_aware_proxy_is_refused_in_front_of_agents_on_cloud_run(variables: Root) -> None:
    iap = {"mode": "iap", "audience": "/projects/1/global/backendServices/2", "client_id": "client"}
    said = _refusal(variables, SELF_HOSTED | {"identity": iap, "proxy_on": "cloud-run"})
    assert "with proxy_on cloud-run use identity mode oidc" in said


@pytest.mark.parametrize(
    ("base", "portal", "words"),
    [
        (HOSTED, {}, "With proxy hosted give portal.host"),
        (SELF_HOSTED, {"host": "portal.example.com"}, "so leave host out"),
        (SELF_HOSTED, {"client_id": "client"}, "portal.client_id is for proxy hosted"),
        (HOSTED, {"host": "https://portal.example.com"}, "portal.host is a lower-case host name"),
        (SELF_HOSTED, {"max_instances": 0}, "portal.max_instances is at least 1"),
        (SELF_HOSTED, {"min_instances": 4}, "portal.min_instances from 0 to portal.max_instances"),
    ],
    ids=["nowhere", "two hosts", "two clients", "a URL", "no instance", "more at least than at most"],
)
def test_a_portal_that_cannot_be_is_refused(
    base: dict[str, Any], portal: dict[str, Any], words: str, variables: Root
) -> None:
    assert words in _refusal(variables, base | {"portal": portal})


def test_an_autopilot_cluster_in_one_zone_is_refused(variables: Root) -> None:
    said = _refusal(variables, SELF_HOSTED | {"autopilot": True, "cluster_location": "europe-west1-b"})
    assert "Autopilot clusters are regional" in said


def test_a_pool_of_gpus_says_in_which_zones_of_a_region(variables: Root) -> None:
    pool = {"gpu": {"type": "nvidia-l4"}, "machine_type": "g2-standard-8"}

    said = _refusal(variables, SELF_HOSTED | {"notebook_pools": {"a": pool}})
    assert "gcloud compute accelerator-types list" in said
    for works in (
        {"notebook_pools": {"a": pool | {"zones": ["europe-west1-b", "europe-west1-c"]}}},
        {"notebook_pools": {"a": pool}, "cluster_location": "europe-west1-b"},
        {"notebook_pools": {"a": pool}, "autopilot": True},
    ):
        assert variables.plan(**SELF_HOSTED | works).types == set()


def test_a_system_without_its_functions_is_refused(variables: Root) -> None:
    said = _refusal(variables, SELF_HOSTED | {"functions_archive": "nowhere.zip"})
    assert "python3 infra/gcp/package_functions.py" in said


def test_each_wrong_value_is_named_in_one_go(variables: Root) -> None:
    wrong = {
        "agent": "one",
        "allowed_emails": [],
        "budget": {"amount": 1, "billing_account": "mine"},
        "domain": "Example.com",
        "functions": {"min_instances": 11},
        "identity": {"mode": "oidc", "issuer": "http://accounts.example.com", "client_id": "client"},
        "image_tag": "latest",
        "limits": {"looks_per_minute": 0.5, "stopped_by_settings": 20},
        "master_secret_version": "latest",
        "network": {"services": "10.8.0.0/20"},
        "notebook_pools": {"system": {"zones": ["b"]}},
        "profiles": {"large": {}},
        "system_pool": {"min_nodes": 0},
        "telemetry_endpoint": "telemetry.googleapis.com/v1/traces",
    }
    said = _refusal(variables, SELF_HOSTED | wrong)
    for words in (
        "agent is per-user or shared",
        "nobody gets a notebook",
        "gcloud billing accounts list",
        "domain is a lower-case domain name",
        "functions.min_instances is from 0",
        'identity is {mode = "oidc", issuer = "https://',
        "latest could be any",
        "limits.looks_per_minute is a whole number",
        "limits.stopped_by_settings is a share",
        "two functions could make two tokens",
        "network.services is at least a /18",
        "agents and system are taken",
        "such as europe-west1-b",
        "profiles.default is missing",
        "without a node nothing answers",
        "telemetry_endpoint is scheme and host alone",
    ):
        assert words in said, words


def test_ranges_that_notebooks_could_reach_and_unknown_places_are_refused(variables: Root) -> None:
    said = _refusal(variables, SELF_HOSTED | {"network": {"pods": "34.118.0.0/14"}, "proxy_on": "vm"})
    assert "proxy_on is gke or cloud-run" in said
    assert "those that the NetworkPolicies keep notebooks out of" in said
