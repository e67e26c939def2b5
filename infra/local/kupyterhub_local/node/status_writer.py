"""Writes a pod's status to the API server whenever it changed, and only then."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from .cluster import ApiError, Cluster
from .domain.manifests import Manifest
from .domain.pod_status import PodState, pod_status

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
_CONFLICT = 409


class Reported(Protocol):
    """The pod whose status is written."""

    path: str
    pod: Manifest
    """Its newest version."""

    @property
    def state(self) -> PodState:
        """What is true now."""


class StatusWriter:
    """Set `changed` when the pod's state changed; `written` is called with each version that a write made."""

    def __init__(self, cluster: Cluster, reported: Reported, written: Callable[[Manifest], None]) -> None:
        self.changed = asyncio.Event()
        self._cluster = cluster
        self._reported = reported
        self._written = written
        self._last: Manifest | None = None

    async def run(self) -> None:
        """Write changes, for ever; what cannot be written now is written later."""
        while True:
            await self.changed.wait()
            self.changed.clear()
            try:
                await self.write()
            except ApiError as error:
                _log.warning("status of %s was not written: %s; trying again", self._reported.path, error)
                await asyncio.sleep(_RETRY_SECONDS)
                self.changed.set()

    async def write(self) -> None:
        """Write the status unless the last write said the same. Raises ApiError, but not when the pod is gone."""
        pod = self._reported.pod
        status = pod_status(pod, self._reported.state, pod.get("status", {}), datetime.now(UTC))
        if status == self._last:
            return
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        try:
            answer = await self._cluster.merge(f"{self._reported.path}/status", body)
        except ApiError as error:
            if error.not_found or error.status == _CONFLICT:
                return  # gone, or another pod of that name: the watch says so too
            raise
        self._last = status
        self._written(answer)
