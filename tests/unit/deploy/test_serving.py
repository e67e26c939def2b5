"""What carries people's traffic beside their notebooks, on the same nodes: the proxy, and both kinds of agents."""

from typing import Any

import pytest
import yaml

from kupyterhub.domain.installation import Installation
from kupyterhub.domain.manifests import shared_agent
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, SETTINGS
from unit.deploy.conftest import CHECKOUT


def _pod_of_proxy() -> dict[str, Any]:
    deployment = yaml.safe_load((CHECKOUT / "infra/cluster/proxy/base/deployment.yaml").read_text())
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def _pod_of_shared_agent() -> dict[str, Any]:
    made = shared_agent.deployment(Installation(SETTINGS, b"k" * 32, "projects/p/topics/agent-events"))
    spec: dict[str, Any] = made["spec"]["template"]["spec"]
    return spec


def _pod_of(component: str) -> dict[str, Any]:
    world = World()
    world.enrol()
    made = world.cluster.get("Deployment", f"{component}-{base_name(ADA)}")
    spec: dict[str, Any] = made["spec"]["template"]["spec"]
    return spec


SERVING = {"proxy": _pod_of_proxy(), "shared agent": _pod_of_shared_agent(), "agent": _pod_of("agent")}
serving = pytest.mark.parametrize("pod", SERVING.values(), ids=SERVING.keys())


@serving
def test_its_priority_is_above_that_of_notebooks_and_ends_none(pod: dict[str, Any]) -> None:
    made = yaml.safe_load((CHECKOUT / "infra/cluster/priority-class.yaml").read_text())

    assert pod["priorityClassName"] == made["metadata"]["name"]
    assert made["value"] > 0
    assert made["preemptionPolicy"] == "Never"
    assert "priorityClassName" not in _pod_of("jupyterlab")


@serving
def test_it_writes_logs_alone_and_no_more_of_them_than_its_node_was_told(pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    stated = [container["resources"][part]["ephemeral-storage"] for part in ("requests", "limits")]

    # Autopilot wants both to be the same.
    assert stated == ["100Mi", "100Mi"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
