"""The command by which docs/files.md makes the pool that Terraform's provider cannot make: nodes with GKE Sandbox."""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from terraform.roots import CHECKOUT, Plan

PAGE = (CHECKOUT / "docs/files.md").read_text()


def flags() -> dict[str, str | bool]:
    """Return the options of the command, without what names project, cluster and pool."""
    (block,) = re.findall(r"( *gcloud container node-pools create .*?)\n *```", PAGE, re.DOTALL)
    words = shlex.split(block.replace("\\\n", ""))
    assert words[:5] == ["gcloud", "container", "node-pools", "create", "gvisor"]
    options = (word.removeprefix("--").partition("=") for word in words[5:])
    found = {name: value if given else True for name, given, value in options}
    return {name: value for name, value in found.items() if name not in {"project", "cluster", "location"}}


def test_it_is_a_pool_of_terraform_but_for_the_sandbox(system_plan: Callable[[str], Plan]) -> None:
    pool = system_plan("self-hosted").of("google_container_node_pool")['pools["default"]']
    (scaling,), (management,), (node,), (upgrade,) = (
        pool[name] for name in ("autoscaling", "management", "node_config", "upgrade_settings")
    )
    (shielded,) = node["shielded_instance_config"]
    assert flags() == {
        "sandbox": "type=gvisor",
        "machine-type": node["machine_type"],
        "image-type": node["image_type"],
        "disk-type": node["disk_type"],
        "disk-size": str(node["disk_size_gb"]),
        "num-nodes": "0",
        "enable-autoscaling": True,
        "total-min-nodes": str(scaling["total_min_node_count"]),
        "total-max-nodes": str(scaling["total_max_node_count"]),
        "location-policy": scaling["location_policy"],
        "enable-private-nodes": pool["network_config"][0]["enable_private_nodes"],
        "enable-image-streaming": node["gcfs_config"][0]["enabled"],
        "shielded-integrity-monitoring": shielded["enable_integrity_monitoring"],
        "shielded-secure-boot": shielded["enable_secure_boot"],
        "no-enable-insecure-kubelet-readonly-port": (
            node["kubelet_config"][0]["insecure_kubelet_readonly_port_enabled"] == "FALSE"
        ),
        "workload-metadata": node["workload_metadata_config"][0]["mode"],
        "service-account": node["service_account"].replace("my-project", "$PROJECT"),
        "scopes": node["oauth_scopes"][0].rpartition("/")[2],
        "enable-autorepair": management["auto_repair"],
        "enable-autoupgrade": management["auto_upgrade"],
        "max-surge-upgrade": str(upgrade["max_surge"]),
        "max-unavailable-upgrade": str(upgrade["max_unavailable"]),
        "labels": ",".join(f"{key}={value}" for key, value in node["resource_labels"].items()),
    }


def test_the_provider_still_has_no_argument_for_it(schema: Path) -> None:
    pool = json.loads((schema / "resources/google_container_node_pool.json").read_text())
    assert "sandbox_config" not in pool["blocks"]["node_config"]["block"]["blocks"]
