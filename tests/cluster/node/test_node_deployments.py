"""Deployments whose pods run on the node, with the real controllers and garbage collector."""

import time

import pytest

from cluster.node.kube import DEPLOYMENTS, PODS, Kube, eventually, is_running, processes
from kupyterhub_local.node.cluster import ApiError
from kupyterhub_local.node.domain.manifests import Manifest

FOREGROUND = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
MARK = "foreground-4714"


@pytest.mark.parametrize(
    ("on_term", "grace"),
    [
        pytest.param("sleep 2; exit 0", 30, id="which ends after two seconds"),
        pytest.param("", 2, id="which is killed after two seconds"),
    ],
)
async def test_a_deployment_deleted_in_the_foreground_is_there_as_long_as_its_pod(
    kube: Kube, on_term: str, grace: int
) -> None:
    script = f"trap '{on_term}' TERM; : {MARK}; while :; do sleep 0.1; done"
    await kube.cluster.create(DEPLOYMENTS, deployment("leaves", script, grace))
    await eventually(lambda: runs(kube), 20)
    began = time.monotonic()
    await kube.cluster.delete(f"{DEPLOYMENTS}/leaves", FOREGROUND)

    seen = 0
    while processes(MARK):
        found, pods = await leaving(kube), (await kube.cluster.get(PODS))["items"]
        if processes(MARK):
            assert found["metadata"].get("deletionTimestamp")
            assert found["metadata"].get("finalizers") == ["foregroundDeletion"]
            assert len(pods) == 1
            seen += 1
        assert time.monotonic() - began < 20
    assert seen > 1
    assert time.monotonic() - began >= 2
    await kube.gone(f"{DEPLOYMENTS}/leaves")
    assert (await kube.cluster.get(PODS))["items"] == []


async def leaving(kube: Kube) -> Manifest:
    """The Deployment, empty when there is none."""
    try:
        return await kube.cluster.get(f"{DEPLOYMENTS}/leaves")
    except ApiError as error:
        if not error.not_found:
            raise
        return {"metadata": {}}


async def runs(kube: Kube) -> bool:
    return any(is_running(pod) for pod in (await kube.cluster.get(PODS))["items"])


def deployment(name: str, script: str, grace: int) -> Manifest:
    labels = {"app": name}
    spec = {
        "containers": [{"name": "main", "image": "none", "command": ["sh", "-c", script]}],
        "terminationGracePeriodSeconds": grace,
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
