"""One pod over its life on this node: volumes, init containers, containers, status, and its end."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from .cluster import ApiError, Cluster
from .container import Container
from .domain.container_status import ContainerStatus, Terminated, Waiting
from .domain.manifests import ConfigError, Manifest, moment
from .domain.pod_status import FINISHED, PodState
from .events import Events
from .sandbox import Sandbox
from .status_writer import StatusWriter
from .volumes import REFRESH

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 2.0
_CONFLICT = 409
_DEFAULT_GRACE = 30


class PodWorker:
    """Makes one pod run as its manifest says, writes its status, and takes it away when it is deleted."""

    def __init__(
        self,
        pod: Manifest,
        sandbox: Sandbox,
        cluster: Cluster,
        events: Events,
        written: Callable[[Manifest], None],
    ) -> None:
        self.sandbox = sandbox
        self.containers: dict[str, Container] = {}
        self.pod = pod
        self.path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        self._cluster = cluster
        self._events = events
        self._writer = StatusWriter(cluster, self, written)
        self._deleted = asyncio.Event()
        self._gone = False
        self._finished = pod.get("status", {}).get("phase") in FINISHED
        began = pod.get("status", {}).get("startTime")
        self._started_at = moment(began) if began else datetime.now(UTC)
        self._runs: list[asyncio.Task[None]] = []
        self._make_containers()
        self.update(pod)

    @property
    def state(self) -> PodState:
        """What is true of the pod now."""
        statuses = {name: container.status for name, container in self.containers.items()}
        return PodState(statuses, self.sandbox.address, self._started_at)

    def update(self, pod: Manifest) -> None:
        """Take in the pod's newest version."""
        self.pod = pod
        if "deletionTimestamp" in pod["metadata"]:
            self._deleted.set()

    def forget(self) -> None:
        """End the pod at once: its object is gone from the API server."""
        self._gone = True
        self._deleted.set()
        self.kill()

    def kill(self) -> None:
        """Kill all containers."""
        for container in self.containers.values():
            container.kill()

    async def run(self) -> None:
        """Run the pod until it is deleted and nothing of it is left."""
        if self._finished:
            await self._deleted.wait()
        else:
            writing = asyncio.create_task(self._writer.run())
            living = asyncio.create_task(self._live())
            living.add_done_callback(self._tell_of_failure)
            await self._deleted.wait()
            living.cancel()
            await self.stop(self.pod["metadata"].get("deletionGracePeriodSeconds", self._grace))
            writing.cancel()
            await asyncio.gather(living, writing, return_exceptions=True)
        # As a kubelet does: whoever sees that the pod is gone finds nothing of it.
        await self.sandbox.remove()
        if not self._gone:
            await self._finish()

    async def stop(self, grace: float) -> None:
        """Stop all containers and return when they have ended."""
        await asyncio.gather(*(container.stop(grace) for container in self.containers.values()))
        await asyncio.gather(*self._runs)

    @property
    def _grace(self) -> float:
        grace = self.pod["spec"].get("terminationGracePeriodSeconds")
        return float(_DEFAULT_GRACE if grace is None else grace)

    def _make_containers(self) -> None:
        spec, status = self.pod["spec"], self.pod.get("status", {})
        policy = spec.get("restartPolicy", "Always")
        kept = {each["name"]: each for each in status.get("containerStatuses") or []}
        now = datetime.now(UTC)
        for manifest in [*spec.get("initContainers", []), *spec["containers"]]:
            # Init containers run again with a new node, as with a kubelet that lost the sandbox.
            known = kept.get(manifest["name"])
            before = ContainerStatus.found(known, now) if known else ContainerStatus(Waiting("ContainerCreating"))
            is_init = manifest not in spec["containers"]
            self.containers[manifest["name"]] = Container(
                manifest,
                self.sandbox,
                "OnFailure" if is_init and policy == "Always" else policy,
                self._grace,
                before,
                changed=self._writer.changed.set,
                report=self._report,
            )

    async def _live(self) -> None:
        self._writer.changed.set()
        await self._prepare()
        for manifest in self.pod["spec"].get("initContainers", []):
            init = self.containers[manifest["name"]]
            await asyncio.wait([self._start(init)])
            if not (isinstance(init.status.state, Terminated) and init.status.state.exit_code == 0):
                return
        running = [self._start(self.containers[each["name"]]) for each in self.pod["spec"]["containers"]]
        while running:
            _, running = (list(some) for some in await asyncio.wait(running, timeout=REFRESH.total_seconds()))
            if running:
                await self._refresh()

    def _start(self, container: Container) -> asyncio.Task[None]:
        # A task of its own: the end of _live must not cancel it, since it stops its process gracefully.
        task = asyncio.create_task(container.run())
        task.add_done_callback(self._tell_of_failure)
        self._runs.append(task)
        return task

    async def _prepare(self) -> None:
        reason = ""
        while True:
            try:
                await self.sandbox.prepare()
            except (ConfigError, ApiError, OSError) as error:
                if str(error) != reason:
                    reason = str(error)
                    self._report("Warning", "FailedMount", reason)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _refresh(self) -> None:
        try:
            await self.sandbox.prepare()
        except (ConfigError, ApiError, OSError) as error:
            _log.info("volumes of %s stay as they are: %s", self.path, error)

    async def _finish(self) -> None:
        """Write the last status and take the object away, as only a node may."""
        uid = self.pod["metadata"]["uid"]
        body = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": uid},
        }
        while not self._gone:
            try:
                if not self._finished:
                    await self._writer.write()
                await self._cluster.delete(self.path, body)
            except ApiError as error:
                if error.status == _CONFLICT:
                    return
                _log.warning("%s was not removed: %s; trying again", self.path, error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    def _report(self, kind: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        self._events.record(self.pod, kind, reason, message)

    def _tell_of_failure(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("%s: the node failed", self.path, exc_info=error)
