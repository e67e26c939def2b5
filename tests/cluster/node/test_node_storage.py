"""PersistentVolumeClaims of the class that the node provides."""

from pathlib import Path
from typing import Any

import pytest

from cluster.node.kube import NAMESPACE, Kube, NodeProcess, eventually

CLAIMS = f"/api/v1/namespaces/{NAMESPACE}/persistentvolumeclaims"
SPEC = {
    "storageClassName": "kupyterhub",
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
}


@pytest.fixture
def folder(node: NodeProcess) -> Path:
    return node.state / "storage" / NAMESPACE / "home-a"


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def bound(kube: Kube) -> dict[str, Any]:
    await kube.apply("PersistentVolumeClaim", "persistentvolumeclaims", "home-a", spec=SPEC)

    async def look() -> dict[str, Any] | None:
        claim = await kube.cluster.get(f"{CLAIMS}/home-a")
        return claim if claim["status"]["phase"] == "Bound" else None

    return await eventually(look, 20)


async def test_a_file_lives_until_its_claim_is_deleted(kube: Kube, folder: Path) -> None:
    claim = await bound(kube)
    assert claim["status"]["capacity"] == {"storage": "1Gi"}
    (folder / "notebook.ipynb").write_text("{}")
    mount = {"volumeMounts": [{"name": "home", "mountPath": "/home/jovyan"}]}
    volumes = {
        "volumes": [{"name": "home", "persistentVolumeClaim": {"claimName": "home-a"}}],
        "restartPolicy": "Never",
    }
    await kube.run("reads", "cat /home/jovyan/notebook.ipynb", **mount, pod=volumes)
    await kube.pod_when("reads", lambda pod: pod["status"]["phase"] == "Succeeded")
    assert await kube.logs("reads") == "{}"
    await kube.delete("reads")
    assert (folder / "notebook.ipynb").read_text() == "{}"
    await kube.cluster.delete(f"{CLAIMS}/home-a")
    await kube.gone(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
    assert names(folder.parent) == []


async def test_a_new_claim_of_an_old_name_starts_empty_and_keeps_what_is_put_there(kube: Kube, folder: Path) -> None:
    old = await bound(kube)
    (folder / "old").touch()
    await kube.cluster.delete(f"{CLAIMS}/home-a")
    await kube.gone(f"{CLAIMS}/home-a")
    new = await bound(kube)
    await kube.gone(f"/api/v1/persistentvolumes/{old['spec']['volumeName']}")
    assert new["spec"]["volumeName"] != old["spec"]["volumeName"]
    assert names(folder) == []
