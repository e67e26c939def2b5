"""Which PersistentVolumes to make and which to take away. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from .manifests import Manifest

STORAGE_CLASS = "kupyterhub"
PROVISIONER = "local.kupyterhub"
_PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"


@dataclass(frozen=True)
class Decision:
    """What to do now; a claim that must wait for an older volume's end comes again with that end."""

    make: list[Manifest]
    remove: list[Manifest]


def decide(claims: Iterable[Manifest], volumes: Iterable[Manifest], storage: PurePath) -> Decision:
    """Compare claims with volumes. `storage` is the folder that holds `<namespace>/<claim>`.

    A claim waits while there is a volume of an earlier claim of its name: the two share a folder, which goes
    with the old one.
    """
    ours = [each for each in volumes if each["metadata"].get("annotations", {}).get(_PROVISIONED_BY) == PROVISIONER]
    taken = {each["spec"]["hostPath"]["path"] for each in ours}
    wanted = [_volume(claim, storage) for claim in claims if _is_pending(claim)]
    return Decision(
        make=[each for each in wanted if each["spec"]["hostPath"]["path"] not in taken],
        remove=[each for each in ours if each.get("status", {}).get("phase") == "Released"],
    )


def _is_pending(claim: Manifest) -> bool:
    spec = claim["spec"]
    return (
        spec.get("storageClassName") == STORAGE_CLASS
        and not spec.get("volumeName")
        and "deletionTimestamp" not in claim["metadata"]
        and claim.get("status", {}).get("phase", "Pending") == "Pending"
    )


def _volume(claim: Manifest, storage: PurePath) -> Manifest:
    metadata, spec = claim["metadata"], claim["spec"]
    names = {key: metadata[key] for key in ("namespace", "name", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{metadata['uid']}", "annotations": {_PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "hostPath": {
                "path": str(storage / metadata["namespace"] / metadata["name"]),
                "type": "Directory",
            },
            "accessModes": spec["accessModes"],
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **names},
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": STORAGE_CLASS,
            "volumeMode": "Filesystem",
        },
    }
