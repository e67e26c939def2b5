"""A pod's volumes as folders of this machine: made before its containers start, refreshed while they run."""

import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path, PurePosixPath

from .cluster import ApiError, Cluster
from .domain.environment import Objects
from .domain.expansion import expand
from .domain.manifests import ConfigError, Manifest, Reference, moment
from .domain.mount_plan import Mount
from .domain.projection import TokenRequest, has_payload, payload, token_requests, volume_references
from .payload import write_payload

REFRESH = timedelta(minutes=1)
"""How often a changed Secret, a changed ConfigMap and an ageing token are looked at."""
_TOKEN_SHARE = 0.8
_TOKEN_LONGEST_SECONDS = 24 * 3600


class Volumes:
    """The volumes of one pod, under `folder` unless they are a PVC's."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._sources: dict[str, Path] = {}
        self._tokens: dict[TokenRequest, tuple[str, float]] = {}

    async def prepare(self, pod: Manifest, pod_ip: str) -> None:
        """Make every volume, or bring its files up to date.

        Raises ConfigError when what a volume refers to is not there, ApiError when it cannot be asked for.
        """
        for volume in pod["spec"].get("volumes", []):
            self._sources[volume["name"]] = await self._prepare(volume, pod, pod_ip)

    def mounts(self, container: Manifest, variables: dict[str, str]) -> list[Mount]:
        """Return what the container sees where. A subPath that does not exist is made a directory."""
        return [self._mount(mount, variables) for mount in container.get("volumeMounts", [])]

    def _mount(self, mount: Manifest, variables: dict[str, str]) -> Mount:
        source = self._sources[mount["name"]]
        sub_path = expand(mount["subPathExpr"], variables) if "subPathExpr" in mount else mount.get("subPath", "")
        if PurePosixPath(sub_path).is_absolute() or ".." in PurePosixPath(sub_path).parts:
            raise ConfigError(f"subPath {sub_path!r} of volume {mount['name']!r} leads out of the volume")
        if sub_path:
            source = Path(source, sub_path).resolve()
            if not source.exists():
                source.mkdir(parents=True)
        return Mount(str(source), mount["mountPath"], mount.get("readOnly", False))

    async def _prepare(self, volume: Manifest, pod: Manifest, pod_ip: str) -> Path:
        namespace = pod["metadata"]["namespace"]
        folder = Path(self._folder, volume["name"])
        if "persistentVolumeClaim" in volume:
            return await self._claimed(namespace, volume["persistentVolumeClaim"]["claimName"])
        if "emptyDir" in volume:
            return _folder(folder)
        if not has_payload(volume):
            kinds = ", ".join(volume.keys() - {"name"})
            raise ConfigError(f"volume {volume['name']!r}: this node does not support {kinds}")
        objects = await fetch(self._cluster, namespace, volume_references(volume))
        tokens = {request: await self._token(request, pod) for request in token_requests(volume)}
        write_payload(folder, payload(volume, pod, pod_ip, objects, tokens))
        return folder

    async def _claimed(self, namespace: str, name: str) -> Path:
        try:
            claim = await self._cluster.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
            if claim.get("status", {}).get("phase") != "Bound":
                raise ConfigError(f"PersistentVolumeClaim {name!r} is not bound yet")
            volume = await self._cluster.get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
        except ApiError as error:
            if error.not_found:
                raise ConfigError(f"PersistentVolumeClaim {name!r}: {error}") from error
            raise
        path = volume["spec"].get("hostPath", {}).get("path")
        if path is None or not _is_folder(path):
            raise ConfigError(
                f"PersistentVolume {volume['metadata']['name']!r} has no folder on this machine ({path})"
            )
        return Path(path)

    async def _token(self, request: TokenRequest, pod: Manifest) -> str:
        known = self._tokens.get(request)
        if known is not None and known[1] > time.time():
            return known[0]
        metadata, account = pod["metadata"], pod["spec"].get("serviceAccountName", "default")
        path = f"/api/v1/namespaces/{metadata['namespace']}/serviceaccounts/{account}/token"
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"], "uid": metadata["uid"]}
        spec = {
            "audiences": [request.audience] if request.audience else [],
            "expirationSeconds": request.seconds,
            "boundObjectRef": bound,
        }
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        try:
            status = (await self._cluster.create(path, body))["status"]
        except ApiError as error:
            if error.not_found:
                raise ConfigError(f"ServiceAccount {account!r}: {error}") from error
            raise
        left = moment(status["expirationTimestamp"]).timestamp() - time.time()
        refresh_at = time.time() + min(left * _TOKEN_SHARE, _TOKEN_LONGEST_SECONDS)
        self._tokens[request] = (status["token"], refresh_at)
        return str(status["token"])


async def fetch(cluster: Cluster, namespace: str, wanted: Iterable[Reference]) -> Objects:
    """Return each Secret and ConfigMap that is asked for, None for one that does not exist."""
    found: dict[Reference, Manifest | None] = {}
    for reference in wanted:
        try:
            found[reference] = await cluster.get(f"/api/v1/namespaces/{namespace}/{reference.kind}/{reference.name}")
        except ApiError as error:
            if not error.not_found:
                raise
            found[reference] = None
    return found


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _is_folder(path: str) -> bool:
    return Path(path).is_dir()
