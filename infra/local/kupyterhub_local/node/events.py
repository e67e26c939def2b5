"""Core/v1 Events about pods: what `kubectl describe` shows."""

import asyncio
import logging
import uuid
from datetime import UTC, datetime
from typing import Literal

from .cluster import ApiError, Cluster
from .domain.manifests import Manifest, timestamp

_log = logging.getLogger(__name__)


class Events:
    """Writes Events beside the work; one that cannot be written is only logged."""

    def __init__(self, cluster: Cluster, node_name: str) -> None:
        self._cluster = cluster
        self._node_name = node_name
        self._writing: set[asyncio.Task[None]] = set()

    def record(self, pod: Manifest, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell of something that happened to a pod."""
        task = asyncio.create_task(self._write(pod, kind, reason, message))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, pod: Manifest, kind: str, reason: str, message: str) -> None:
        metadata, now = pod["metadata"], timestamp(datetime.now(UTC))
        names = {key: metadata[key] for key in ("namespace", "name", "uid")}
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": f"{metadata['name']}.{uuid.uuid4().hex[:16]}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", **names},
            "type": kind,
            "reason": reason,
            "message": message,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": "kupyterhub-node", "host": self._node_name},
        }
        try:
            await self._cluster.create(f"/api/v1/namespaces/{metadata['namespace']}/events", event)
        except ApiError as error:
            _log.info(
                "event %s of %s/%s was not written: %s",
                reason,
                metadata["namespace"],
                metadata["name"],
                error,
            )
