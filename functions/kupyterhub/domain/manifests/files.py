"""Where a notebook finds its files: the volumes of its pod, and the marks of pods that reach the bucket.

Folders of the bucket are mounted by the GCS FUSE driver, whose sidecar GKE adds to pods that ask for it.
https://cloud.google.com/kubernetes-engine/docs/how-to/cloud-storage-fuse-csi-driver-ephemeral
"""

from typing import Any, NamedTuple

from kupyterhub.domain.folders import own_folder, shared_folder
from kupyterhub.domain.labels import BUCKET
from kupyterhub.domain.manifests.pieces import UID
from kupyterhub.domain.policy import Wanted

HOME = "/home/jovyan"
SHARED = f"{HOME}/shared"


class Files(NamedTuple):
    """The part of a pod that has to do with people's files."""

    labels: dict[str, str]
    annotations: dict[str, str]
    mounts: list[dict[str, Any]]
    volumes: list[dict[str, Any]]


def files(wanted: Wanted, bucket: str | None) -> Files:
    """The home, on disk or in the bucket, and the folders that the profile shares."""
    home = {"name": "home", "mountPath": HOME}
    shared, in_bucket = wanted.profile.shared_folders, wanted.profile.storage.kind == "gcs"
    return Files(
        # By the label a NetworkPolicy lets the pod ask the metadata server who it is, as the sidecar must.
        labels={BUCKET: "true"} if in_bucket else {},
        annotations={"gke-gcsfuse/volumes": "true"} if in_bucket else {},
        mounts=[home, *({"name": f"shared-{each.name}", "mountPath": f"{SHARED}/{each.name}"} for each in shared)],
        volumes=[
            {"name": "home", **_home(wanted, bucket)},
            *(
                {
                    "name": f"shared-{each.name}",
                    **_folder(bucket, shared_folder(each.name), read_only=each.access == "read"),
                }
                for each in shared
            ),
        ],
    )


def _home(wanted: Wanted, bucket: str | None) -> dict[str, Any]:
    if wanted.profile.storage.kind == "disk":
        return {"persistentVolumeClaim": {"claimName": f"home-{wanted.name}"}}
    return _folder(bucket, own_folder(wanted.name), read_only=False)


def _folder(bucket: str | None, folder: str, *, read_only: bool) -> dict[str, Any]:
    options = [
        f"only-dir={folder.rstrip('/')}",
        # What was put there by other programs has no objects for its directories.
        "implicit-dirs",
        f"uid={UID}",
        f"gid={UID}",
        # Executable, since objects have no modes of their own: programs and scripts are among people's files.
        "file-mode=700",
        "dir-mode=700",
        # Driver and sidecar would each ask about the whole bucket first, in which nobody has rights. (The driver
        # heeds this since its version 1.24; GCS FUSE itself asks about `only-dir` alone in versions after 3.11.)
        "enable-sidecar-bucket-access-check=false",
    ]
    return {
        "csi": {
            "driver": "gcsfuse.csi.storage.gke.io",
            "readOnly": read_only,
            "volumeAttributes": {
                "bucketName": bucket,
                "mountOptions": ",".join(options),
                "skipCSIBucketAccessCheck": "true",
            },
        }
    }
