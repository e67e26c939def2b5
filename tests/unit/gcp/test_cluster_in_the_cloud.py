"""The GKE cluster, its nodes and its network."""

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from kupyterhub.domain.manifests import agent_pod
from terraform.roots import CHECKOUT, Plan
from terraform.ways import WAYS

Way = Callable[[str], Plan]


def _cluster(plan: Plan) -> dict[str, Any]:
    return plan.of("google_container_cluster")["cluster"]


def _pools(plan: Plan) -> dict[str, dict[str, Any]]:
    return {pool["name"]: pool for pool in plan.of("google_container_node_pool").values()}


def _node(pool: dict[str, Any]) -> dict[str, Any]:
    node: dict[str, Any] = pool["node_config"][0]
    return node


def _policies() -> Iterator[dict[str, Any]]:
    for file in ("network-policies.yaml", "proxy/base/network-policies.yaml"):
        yield from yaml.safe_load_all((CHECKOUT / "infra/cluster" / file).read_text())


def _blocks(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for rule in policy["spec"].get("egress", []):
        for peer in rule.get("to", []):
            if "ipBlock" in peer:
                yield peer["ipBlock"]


def test_the_control_plane_has_no_address_and_lets_in_by_iam(system_plan: Way) -> None:
    endpoints = _cluster(system_plan("self-hosted"))["control_plane_endpoints_config"][0]
    assert endpoints["dns_endpoint_config"][0]["allow_external_traffic"] is True
    assert endpoints["ip_endpoints_config"][0]["enabled"] is False


def test_a_standard_cluster_is_what_notebooks_need(system_plan: Way) -> None:
    cluster = _cluster(system_plan("self-hosted"))
    assert cluster["networking_mode"] == "VPC_NATIVE"
    assert cluster["datapath_provider"] == "ADVANCED_DATAPATH"
    assert cluster["enable_shielded_nodes"] is True
    assert cluster["release_channel"][0]["channel"] == "REGULAR"
    assert cluster["private_cluster_config"][0]["enable_private_nodes"] is True
    assert cluster["workload_identity_config"][0]["workload_pool"] == "my-project.svc.id.goog"
    assert cluster["gateway_api_config"][0]["channel"] == "CHANNEL_STANDARD"
    assert cluster["addons_config"][0]["gcs_fuse_csi_driver_config"][0]["enabled"] is True
    assert cluster["deletion_protection"] is True


def test_autopilot_is_told_nothing_that_it_decides_itself(system_plan: Way) -> None:
    plan = system_plan("autopilot")
    cluster = _cluster(plan)
    assert cluster["enable_autopilot"] is True
    assert not _pools(plan)
    # Unset, they are the provider's to fill in, and so are not in the plan.
    for name in ("enable_shielded_nodes", "datapath_provider", "remove_default_node_pool", "initial_node_count"):
        assert name not in cluster
    assert not cluster["workload_identity_config"]
    assert not cluster["addons_config"][0]["dns_cache_config"]


@pytest.mark.parametrize("way", ["self-hosted", "hosted", "everything"])
def test_every_node_is_private_shielded_and_has_an_account_that_can_do_little(way: str, system_plan: Way) -> None:
    for pool in _pools(system_plan(way)).values():
        node = _node(pool)
        assert pool["network_config"][0]["enable_private_nodes"] is True
        assert node["shielded_instance_config"][0]["enable_secure_boot"] is True
        assert node["kubelet_config"][0]["insecure_kubelet_readonly_port_enabled"] == "FALSE"
        assert node["gcfs_config"][0]["enabled"] is True
        assert node["service_account"].startswith(("kupyterhub-nodes@", "kupyterhub-agents@"))


def test_without_notebooks_there_are_no_nodes_for_them(system_plan: Way) -> None:
    pools = _pools(system_plan("self-hosted"))
    assert pools["default"]["autoscaling"][0]["total_min_node_count"] == 0
    assert pools["system"]["autoscaling"][0]["total_min_node_count"] == 1


def test_pools_of_gpus_and_of_spot_nodes_are_a_matter_of_variables(system_plan: Way) -> None:
    pools = _pools(system_plan("everything"))
    accelerator = _node(pools["gpu"])["guest_accelerator"][0]
    assert (accelerator["type"], accelerator["count"]) == ("nvidia-l4", 1)
    assert accelerator["gpu_driver_installation_config"][0]["gpu_driver_version"] == "DEFAULT"
    assert pools["gpu"]["node_locations"] == ["europe-west1-b"]
    assert _node(pools["cheap"])["spot"] is True
    # Unset, they are the cluster's own.
    assert "node_locations" not in pools["cheap"]


def test_agents_of_the_hosted_proxy_have_nodes_and_an_account_of_their_own(system_plan: Way) -> None:
    pools = _pools(system_plan("hosted"))
    agents = _node(pools.pop("agents"))
    assert agents["workload_metadata_config"][0]["mode"] == "GCE_METADATA"
    assert agents["labels"] == {agent_pod.POOL: "true"}
    assert agents["taint"] == [{"effect": "NO_SCHEDULE", "key": agent_pod.POOL, "value": "true"}]
    assert agents["service_account"] == "kupyterhub-agents@my-project.iam.gserviceaccount.com"
    assert {_node(pool)["workload_metadata_config"][0]["mode"] for pool in pools.values()} == {"GKE_METADATA"}


def test_without_the_hosted_proxy_no_pod_has_the_rights_of_its_node(system_plan: Way) -> None:
    pools = _pools(system_plan("self-hosted"))
    assert "agents" not in pools
    assert {_node(pool)["workload_metadata_config"][0]["mode"] for pool in pools.values()} == {"GKE_METADATA"}


def test_network_policies_keep_notebooks_out_of_all_that_is_inside(system_plan: Way) -> None:
    subnet = system_plan("self-hosted").of("google_compute_subnetwork")["cluster"]
    inside = [subnet["ip_cidr_range"], *(r["ip_cidr_range"] for r in subnet["secondary_ip_range"])]
    internet = [block for policy in _policies() for block in _blocks(policy) if block["cidr"] == "0.0.0.0/0"]
    assert internet
    for block in internet:
        left_out = [ipaddress.IPv4Network(cidr) for cidr in block["except"]]
        for cidr in map(ipaddress.IPv4Network, inside):
            assert any(cidr.subnet_of(network) for network in left_out), cidr


def test_services_are_enough_for_ten_thousand_users(system_plan: Way) -> None:
    subnet = system_plan("self-hosted").of("google_compute_subnetwork")["cluster"]
    ranges = {r["range_name"]: ipaddress.IPv4Network(r["ip_cidr_range"]) for r in subnet["secondary_ip_range"]}
    assert ranges["services"].prefixlen <= 18
    networks = [ipaddress.IPv4Network(subnet["ip_cidr_range"]), *ranges.values()]
    assert not [(a, b) for a in networks for b in networks if a is not b and a.overlaps(b)]


def test_names_of_google_lead_where_network_policies_let_pods_go(system_plan: Way) -> None:
    plan = system_plan("self-hosted")
    assert plan.of("google_compute_subnetwork")["cluster"]["private_ip_google_access"] is True
    allowed = {block["cidr"] for policy in _policies() for block in _blocks(policy)} - {"0.0.0.0/0"}
    networks = [ipaddress.IPv4Network(cidr) for cidr in allowed]
    records = [r for r in plan.of("google_dns_record_set").values() if r["type"] == "A" and "googleapis" in r["name"]]
    for address in records[0]["rrdatas"]:
        assert any(ipaddress.IPv4Address(address) in network for network in networks), address


def test_with_the_hosted_proxy_its_names_lead_there_too(system_plan: Way) -> None:
    zones = {zone["dns_name"] for zone in system_plan("hosted").of("google_dns_managed_zone").values()}
    assert {"notebooks.googleusercontent.com.", "kernels.googleusercontent.com."} <= zones


@pytest.mark.parametrize("way", WAYS)
def test_taking_the_system_down_takes_no_notebook_and_no_document(way: str, system_plan: Way) -> None:
    plan = system_plan(way)
    assert not [name for name in plan.types if name.startswith(("google_firestore_", "google_firebaserules_"))]
    assert "google_compute_resource_policy" not in plan.types
    buckets = {bucket["name"] for bucket in plan.of("google_storage_bucket").values()}
    assert buckets == {"my-project-kupyterhub-functions"}


@pytest.mark.parametrize("way", ["self-hosted", "hosted", "everything"])
def test_the_pool_that_is_thrown_away_fits_into_a_new_projects_quota_of_ssd(way: str, system_plan: Way) -> None:
    (node,) = _cluster(system_plan(way))["node_config"]
    assert (node["disk_type"], node["disk_size_gb"]) == ("pd-standard", 20)
