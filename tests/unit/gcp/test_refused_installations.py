"""Combinations that cannot work are refused before anything is made, with words that say what to do."""

from typing import Any

import pytest

from terraform.roots import Root, TerraformError

SYSTEM = {
    "project_id": "my-project",
    "state_bucket": "my-state",
    "allowed_emails": ["*@example.com"],
    "image_tag": "0a1b2c3",
}
SELF_HOSTED = SYSTEM | {
    "domain": "notebooks.example.com",
    "identity": {"mode": "oidc", "issuer": "https://accounts.google.com", "client_id": "client"},
}
HOSTED = SYSTEM | {"proxy": "hosted"}


def _refusal(root: Root, variables: dict[str, Any]) -> str:
    with pytest.raises(TerraformError) as refusal:
        root.plan(**variables)
    return str(refusal.value)


def test_the_hosted_proxy_is_refused_on_autopilot(system_root: Root) -> None:
    said = _refusal(system_root, HOSTED | {"autopilot": True})
    assert "which Autopilot lets no pod do: set autopilot = false" in said


def test_the_hosted_proxy_takes_neither_domain_nor_identity(system_root: Root) -> None:
    said = _refusal(system_root, SELF_HOSTED | {"proxy": "hosted"})
    assert "with proxy hosted Google gives the URLs, so leave domain out" in said
    assert "with proxy hosted Google signs people in, so leave it out" in said


def test_our_own_server_needs_domain_and_identity(system_root: Root) -> None:
    said = _refusal(system_root, SYSTEM)
    assert "With proxy self-hosted a domain is needed" in said
    assert "With proxy self-hosted give identity" in said


def test_identity_aware_proxy_is_refused_in_front_of_agents_on_cloud_run(system_root: Root) -> None:
    iap = {"mode": "iap", "audience": "/projects/1/global/backendServices/2"}
    said = _refusal(system_root, SELF_HOSTED | {"identity": iap, "proxy_on": "cloud-run"})
    assert "with proxy_on cloud-run use identity mode oidc" in said


def test_an_autopilot_cluster_in_one_zone_is_refused(system_root: Root) -> None:
    said = _refusal(system_root, SELF_HOSTED | {"autopilot": True, "cluster_location": "europe-west1-b"})
    assert "Autopilot clusters are regional" in said


def test_a_system_without_its_functions_is_refused(system_root: Root) -> None:
    said = _refusal(system_root, SELF_HOSTED | {"functions_archive": "nowhere.zip"})
    assert "python3 infra/gcp/package_functions.py" in said


def test_each_wrong_value_is_named_in_one_go(system_root: Root) -> None:
    wrong = {
        "agent": "one",
        "allowed_emails": [],
        "budget": {"amount": 1, "billing_account": "mine"},
        "domain": "Example.com",
        "functions": {"min_instances": 11},
        "identity": {"mode": "oidc", "issuer": "http://accounts.example.com", "client_id": "client"},
        "image_tag": "latest",
        "master_secret_version": "latest",
        "network": {"services": "10.8.0.0/20"},
        "notebook_pools": {"system": {}},
        "profiles": {"large": {}},
        "system_pool": {"min_nodes": 0},
    }
    said = _refusal(system_root, SELF_HOSTED | wrong)
    for words in (
        "agent is per-user or shared",
        "nobody gets a notebook",
        "gcloud billing accounts list",
        "domain is a lower-case domain name",
        "functions.min_instances is from 0",
        'identity is {mode = "oidc", issuer = "https://',
        "latest could be any",
        "two functions could make two tokens",
        "network.services is at least a /18",
        "agents and system are taken",
        "profiles.default is missing",
        "without a node nothing answers",
    ):
        assert words in said, words


def test_ranges_that_notebooks_could_reach_and_unknown_places_are_refused(system_root: Root) -> None:
    said = _refusal(system_root, SELF_HOSTED | {"network": {"pods": "34.118.0.0/14"}, "proxy_on": "vm"})
    assert "proxy_on is gke or cloud-run" in said
    assert "those that the NetworkPolicies keep notebooks out of" in said
