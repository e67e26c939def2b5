"""Folders for PersistentVolumeClaims: made when claimed, removed with the claim, and never else."""

import asyncio
import logging
import shutil
from pathlib import Path

from .cluster import ApiError, Cluster
from .domain.manifests import Manifest
from .domain.provisioning import decide
from .mirror import Mirror

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 2.0
_CONFLICT = 409


class Provisioner:
    """Brings PersistentVolumes and folders to what the claims say."""

    def __init__(self, cluster: Cluster, claims: Mirror, volumes: Mirror, storage: Path) -> None:
        self._cluster = cluster
        self._claims = claims
        self._volumes = volumes
        self._storage = storage
        self._changed = asyncio.Event()
        claims.listen(self._on_change)
        volumes.listen(self._on_change)

    async def run(self) -> None:
        """Follow claims and volumes, for ever."""
        await asyncio.gather(self._claims.filled.wait(), self._volumes.filled.wait())
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._look()
            except (ApiError, OSError) as error:
                _log.warning("storage: %s; trying again", error)
                await asyncio.sleep(_RETRY_SECONDS)
                self._changed.set()

    async def _look(self) -> None:
        decision = decide(self._claims, self._volumes, self._storage)
        for volume in decision.remove:
            await self._remove(volume)
        for volume in decision.make:
            _make_folder(volume)
            try:
                self._volumes.put(await self._cluster.create("/api/v1/persistentvolumes", volume))
            except ApiError as error:
                if error.status != _CONFLICT:  # made already; the mirror has not seen it yet
                    raise

    async def _remove(self, volume: Manifest) -> None:
        if "deletionTimestamp" in volume["metadata"]:
            return
        folder = Path(volume["spec"]["hostPath"]["path"])
        if not folder.is_relative_to(self._storage) or len(folder.relative_to(self._storage).parts) != 2:  # noqa: PLR2004
            _log.error("%s of %s is not ours to delete: left alone", folder, volume["metadata"]["name"])
            return
        await asyncio.to_thread(_remove_tree, folder)
        await self._cluster.delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")

    def _on_change(self, _manifest: Manifest, deleted: bool) -> None:  # noqa: FBT001, ARG002 - a Listener
        self._changed.set()


def _make_folder(volume: Manifest) -> None:
    Path(volume["spec"]["hostPath"]["path"]).mkdir(parents=True, exist_ok=True, mode=0o700)


def _remove_tree(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
