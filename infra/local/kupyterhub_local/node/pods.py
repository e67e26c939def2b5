"""All pods that are bound to this node, each with its worker."""

import asyncio
import logging
import shutil
from pathlib import Path

from .cluster import Cluster
from .domain.addresses import PodAddresses
from .domain.container_status import Running
from .domain.manifests import Manifest
from .events import Events
from .mirror import Mirror
from .pod_worker import PodWorker
from .sandbox import Sandbox, Surroundings

_log = logging.getLogger(__name__)
_HOSTS_PAUSE_SECONDS = 0.1
_KILL_SECONDS = 2.0


class Pods:
    """Starts a worker for each pod that the mirror shows and tells it of changes."""

    def __init__(
        self,
        cluster: Cluster,
        mirror: Mirror,
        surroundings: Surroundings,
        addresses: PodAddresses,
        events: Events,
    ) -> None:
        self._cluster = cluster
        self._mirror = mirror
        self._surroundings = surroundings
        self._addresses = addresses
        self._events = events
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._services_changed = asyncio.Event()

    async def run(self) -> None:
        """Take over what is bound to this node and follow changes, for ever."""
        await self._mirror.filled.wait()
        bound = list(self._mirror)
        await asyncio.to_thread(self._remove_leftovers, {pod["metadata"]["uid"] for pod in bound})
        for pod in bound:  # known addresses first, so that no new pod takes one of them
            if address := pod.get("status", {}).get("podIP"):
                self._addresses.hold(pod["metadata"]["uid"], address)
        self._mirror.listen(self._on_change)
        for pod in self._mirror:
            self._on_change(pod, deleted=False)
        while True:
            await self._services_changed.wait()
            self._services_changed.clear()
            self._write_hosts()
            await asyncio.sleep(_HOSTS_PAUSE_SECONDS)

    def on_service(self, _service: Manifest, deleted: bool) -> None:  # noqa: FBT001, ARG002 - a Listener
        """Bring every pod's /etc/hosts up to date soon."""
        self._services_changed.set()

    async def stop(self, grace: float) -> None:
        """Stop every container, since the node ends; the pods stay as they are in the API."""
        for task in self._tasks.values():
            task.cancel()
        stopping = [asyncio.create_task(worker.stop(grace)) for worker in self._workers.values()]
        if stopping:  # what does not end in time dies with the node's process
            await asyncio.wait(stopping, timeout=grace + _KILL_SECONDS)

    def log(self, namespace: str, pod: str, container: str, *, previous: bool) -> tuple[Path, bool] | None:
        """Return a container's log and whether it is still being written; None when there is no such run."""
        for worker in self._workers.values():
            if worker.path == f"/api/v1/namespaces/{namespace}/pods/{pod}" and container in worker.containers:
                status = worker.containers[container].status
                path = worker.sandbox.folder / container / f"{status.restarts - previous}.log"
                return (path, isinstance(status.state, Running) and not previous) if path.exists() else None
        return None

    def _write_hosts(self) -> None:
        for worker in self._workers.values():
            try:
                worker.sandbox.write_hosts()
            except OSError as error:
                _log.warning("%s: /etc/hosts stays as it is: %s", worker.path, error)

    def _on_change(self, pod: Manifest, deleted: bool) -> None:  # noqa: FBT001 - a Listener
        uid = pod["metadata"]["uid"]
        worker = self._workers.get(uid)
        if deleted:
            if worker is not None:
                worker.forget()
        elif worker is not None:
            worker.update(pod)
        else:
            self._start(pod)

    def _start(self, pod: Manifest) -> None:
        uid = pod["metadata"]["uid"]
        sandbox = Sandbox(self._surroundings, pod, self._addresses.hold(uid))
        worker = PodWorker(pod, sandbox, self._cluster, self._events, self._mirror.put)
        self._workers[uid] = worker
        task = asyncio.create_task(worker.run(), name=worker.path)
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._ended(uid, done))

    def _ended(self, uid: str, task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            _log.error("%s: the node failed", task.get_name(), exc_info=error)
        self._addresses.release(uid)
        self._workers.pop(uid, None)
        self._tasks.pop(uid, None)

    def _remove_leftovers(self, bound: set[str]) -> None:
        self._surroundings.pods_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in self._surroundings.pods_folder.iterdir():
            if folder.name not in bound:
                shutil.rmtree(folder, ignore_errors=True)
