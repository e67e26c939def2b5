"""A node that says of every pod that it runs, and starts none.

Without one the control plane never comes to rest: what waits for a machine or a disk is tried again and again, and
what does not run in time is marked. What a start costs could not be told from that.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from kupyterhub_local.node.cluster import ApiError, Cluster
from kupyterhub_local.node.domain.manifests import Manifest, timestamp
from kupyterhub_local.node.mirror import Mirror
from kupyterhub_local.node.node_object import node_manifest, node_status
from kupyterhub_local.node.provisioner import Provisioner

NAME = "of-any-size"
_ROOM = {"cpu": "100k", "memory": "1Pi", "ephemeral-storage": "1Pi", "pods": "100k"}
_BEAT_SECONDS = 10


@contextmanager
def node(kubeconfig: Path, storage: Path) -> Iterator[None]:
    """Have the node in a cluster, with folders in `storage` for its disks."""
    over = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(_run(kubeconfig, storage, over),))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _run(kubeconfig: Path, storage: Path, over: threading.Event) -> None:
    async with Cluster(kubeconfig) as cluster:
        claims, volumes = (Mirror(cluster, f"/api/v1/persistentvolume{kind}") for kind in ("claims", "s"))
        pods = Mirror(cluster, "/api/v1/pods", fieldSelector=f"spec.nodeName={NAME}")
        made: asyncio.Queue[Manifest] = asyncio.Queue()
        pods.listen(lambda pod, deleted: None if deleted or _runs(pod) else made.put_nowait(pod))
        provisioner = Provisioner(cluster, claims, volumes, storage)
        mirrors = (mirror.run() for mirror in (claims, volumes, pods))
        parts = asyncio.gather(*mirrors, provisioner.run(), _start(cluster, made), _beat(cluster))
        await asyncio.to_thread(over.wait)
        parts.cancel()
        with suppress(asyncio.CancelledError):
            await parts


def _runs(pod: Manifest) -> bool:
    return pod["status"]["phase"] == "Running"


async def _start(cluster: Cluster, made: "asyncio.Queue[Manifest]") -> None:
    while True:
        meta = (await made.get())["metadata"]
        now = {"status": "True", "lastTransitionTime": timestamp(datetime.now(UTC))}
        ready = [{"type": kind, **now} for kind in ("ContainersReady", "Ready")]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        with suppress(ApiError):  # it is gone
            await cluster.merge(path, {"status": {"phase": "Running", "conditions": ready}})


async def _beat(cluster: Cluster) -> None:
    since = datetime.now(UTC)
    await cluster.apply(f"/api/v1/nodes/{NAME}", node_manifest(NAME))
    while True:
        status = node_status(1, since, datetime.now(UTC)) | {"capacity": _ROOM, "allocatable": _ROOM}
        body: Manifest = {**node_manifest(NAME), "status": status}
        await cluster.apply(f"/api/v1/nodes/{NAME}/status", body)
        await asyncio.sleep(_BEAT_SECONDS)
