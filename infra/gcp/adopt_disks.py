# ruff: noqa: INP001 - a script, of no package
"""Gives disks that a former cluster left to a new one, as PersistentVolumes and the claims that people's pods name.

Taking a cluster down leaves people's disks; a new one does not know them, and would make empty ones. So, before the
functions run again:

    gcloud compute disks list --filter=labels.kupyterhub=home --format=json \
        | python3 infra/gcp/adopt_disks.py | kubectl create -f -

What the cluster has already is refused by `kubectl create`, and stays as it is.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

DRIVER = "pd.csi.storage.gke.io"
_CREATED_FOR = "kubernetes.io/created-for"
"""How the driver's description of a disk says for which volume and claim it made it."""


class TwoDisks(Exception):
    """Two disks were made for one claim; the text names them, for a person to say which has the notebooks."""


def manifests(disks: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Make a volume and a claim for each disk, as `gcloud compute disks list` describes it; raises TwoDisks."""
    seen: dict[tuple[str, str], str] = {}
    for disk in disks:
        made_for = json.loads(disk["description"])
        claim = made_for[f"{_CREATED_FOR}/pvc/namespace"], made_for[f"{_CREATED_FOR}/pvc/name"]
        if claim in seen:
            raise TwoDisks(
                f"{seen[claim]} and {disk['name']} were both made for {claim[1]}: "
                "take the label `kupyterhub` off the one that is not to be used"
            )
        seen[claim] = disk["name"]
        yield from _pair(disk, made_for[f"{_CREATED_FOR}/pv/name"], *claim)


def _pair(disk: Mapping[str, Any], volume: str, namespace: str, claim: str) -> Iterator[dict[str, Any]]:
    zone = disk["zone"].rpartition("/")[2]
    shared = {
        "storageClassName": "kupyterhub",
        "accessModes": ["ReadWriteOnce"],
    }
    size = {"storage": f"{disk['sizeGb']}Gi"}
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        # As the driver's own: a purge deletes the disk with the claim.
        "metadata": {"name": volume, "annotations": {"pv.kubernetes.io/provisioned-by": DRIVER}},
        "spec": {
            **shared,
            "capacity": size,
            "persistentVolumeReclaimPolicy": "Delete",
            "claimRef": {"namespace": namespace, "name": claim},
            "csi": {
                "driver": DRIVER,
                "fsType": "ext4",
                "volumeHandle": f"projects/{_project(disk)}/zones/{zone}/disks/{disk['name']}",
            },
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "topology.gke.io/zone", "operator": "In", "values": [zone]}]}
                    ]
                }
            },
        },
    }
    name = claim.removeprefix("home-")
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": claim,
            "namespace": namespace,
            "labels": {
                "app.kubernetes.io/name": "storage",
                "app.kubernetes.io/instance": name,
                "app.kubernetes.io/component": "storage",
                "app.kubernetes.io/part-of": "kupyterhub",
                "app.kubernetes.io/managed-by": "kupyterhub",
                "kupyterhub/keep": "true",
            },
        },
        "spec": {**shared, "volumeName": volume, "resources": {"requests": size}},
    }


def _project(disk: Mapping[str, Any]) -> str:
    _, _, path = disk["selfLink"].partition("/projects/")
    project: str = path.partition("/")[0]
    return project


if __name__ == "__main__":
    try:
        items = list(manifests(json.load(sys.stdin)))
    except TwoDisks as e:
        sys.exit(str(e))
    json.dump({"apiVersion": "v1", "kind": "List", "items": items}, sys.stdout, indent=2)
