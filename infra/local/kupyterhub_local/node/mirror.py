"""The objects of one kind as the API server has them, kept up to date by a watch."""

import asyncio
import logging
from collections.abc import Callable, Iterator

from .cluster import ApiError, Cluster
from .domain.manifests import Manifest

_log = logging.getLogger(__name__)
_GONE = 410
_RETRY_SECONDS = 0.5

Listener = Callable[[Manifest, bool], None]
"""Called with an object and whether it was deleted."""


class Mirror:
    """A copy of a collection; listeners hear of each change, once per version."""

    def __init__(self, cluster: Cluster, path: str, **query: str) -> None:
        self._cluster = cluster
        self._path = path
        self._query = query
        self._objects: dict[str, Manifest] = {}
        self._listeners: list[Listener] = []
        self.filled = asyncio.Event()

    def __iter__(self) -> Iterator[Manifest]:
        return iter(list(self._objects.values()))

    def listen(self, listener: Listener) -> None:
        """Tell the listener of each change from now on."""
        self._listeners.append(listener)

    async def run(self) -> None:
        """List, then watch, for ever; a lost connection or an expired version only means to list again."""
        told = False
        while True:
            try:
                version = await self._list()
                told = False
                while True:
                    version = await self._watch(version)
            except ApiError as error:
                if error.status == _GONE:
                    continue
                if not told:
                    _log.warning("%s: %s; trying until it works", self._path, error)
                    told = True
                await asyncio.sleep(_RETRY_SECONDS)

    def put(self, manifest: Manifest) -> None:
        """Take in an object that was just read or written, before the watch brings it."""
        uid = manifest["metadata"]["uid"]
        known = self._objects.get(uid)
        if known is None or _is_newer(manifest, known):
            self._objects[uid] = manifest
            self._tell(manifest, deleted=False)

    async def _list(self) -> str:
        answer = await self._cluster.get(self._path, **self._query)
        listed = {item["metadata"]["uid"]: item for item in answer["items"]}
        for uid in self._objects.keys() - listed.keys():
            self._tell(self._objects.pop(uid), deleted=True)
        for item in listed.values():
            self.put(item)
        self.filled.set()
        version: str = answer["metadata"]["resourceVersion"]
        return version

    async def _watch(self, version: str) -> str:
        async for kind, manifest in self._cluster.watch(self._path, version, **self._query):
            version = manifest["metadata"]["resourceVersion"]
            if kind == "DELETED":
                if self._objects.pop(manifest["metadata"]["uid"], None) is not None:
                    self._tell(manifest, deleted=True)
            elif kind != "BOOKMARK":
                self.put(manifest)
        return version

    def _tell(self, manifest: Manifest, *, deleted: bool) -> None:
        for listener in self._listeners:
            listener(manifest, deleted)


def _is_newer(manifest: Manifest, known: Manifest) -> bool:
    # Versions are comparable decimal numbers since Kubernetes 1.35 (KEP-5504).
    return int(manifest["metadata"]["resourceVersion"]) > int(known["metadata"]["resourceVersion"])
