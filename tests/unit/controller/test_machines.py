"""What a profile asks of the machine under its notebooks: disk, accelerators, a sandbox, and what they reach."""

from typing import Any

import pytest

from kupyterhub.domain.settings import Profile
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, SETTINGS

GPU = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
SANDBOX = {"key": "sandbox.gke.io/runtime", "operator": "Equal", "value": "gvisor", "effect": "NoSchedule"}


def template(**profile: Any) -> dict[str, Any]:
    """The pod template of a notebook whose profile says this."""
    world = World(settings=SETTINGS.model_copy(update={"profiles": {"default": Profile.model_validate(profile)}}))
    world.enrol()
    found: dict[str, Any] = world.cluster.get("Deployment", f"jupyterlab-{base_name(ADA)}")["spec"]["template"]
    return found


def test_a_profile_that_asks_for_nothing_runs_anywhere() -> None:
    found = template()

    assert not {"nodeSelector", "tolerations", "runtimeClassName"} & found["spec"].keys()
    assert not {"kupyterhub/bucket", "kupyterhub/egress"} & found["metadata"]["labels"].keys()


def test_a_notebook_fills_no_more_of_its_nodes_disk_than_its_profile_says() -> None:
    spec = template(ephemeralStorage="5Gi")["spec"]

    resources = spec["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "5Gi"}
    assert resources["requests"] == resources["limits"]
    assert spec["volumes"][-1] == {"name": "tmp", "emptyDir": {"sizeLimit": "5Gi"}}


def test_accelerators_are_limits_and_choose_a_node() -> None:
    spec = template(gpu={"count": 2, "type": "nvidia-l4"})["spec"]

    resources = spec["containers"][0]["resources"]
    assert resources["limits"]["nvidia.com/gpu"] == "2"
    assert resources["requests"] == resources["limits"]
    assert spec["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert spec["tolerations"] == [GPU]


def test_accelerators_of_any_type_choose_no_node() -> None:
    spec = template(gpu={"count": 1})["spec"]

    assert "nodeSelector" not in spec
    assert spec["tolerations"] == [GPU]


def test_a_sandbox_is_a_runtime_class() -> None:
    spec = template(sandbox="gvisor", gpu={"count": 1})["spec"]

    assert spec["runtimeClassName"] == "gvisor"
    assert spec["tolerations"] == [SANDBOX, GPU]


@pytest.mark.parametrize(("egress", "label"), [("internet", None), ("none", "none"), ("pypi", "pypi")])
def test_a_notebook_bears_what_it_may_reach_where_that_is_not_the_internet(egress: str, label: str | None) -> None:
    assert template(egress=egress)["metadata"]["labels"].get("kupyterhub/egress") == label
