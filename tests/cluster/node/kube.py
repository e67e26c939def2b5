"""What the node's tests do with the cluster: a namespace, pods in it, waiting, and the node's process."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from kupyterhub_local.node.cluster import ApiError, Cluster
from kupyterhub_local.node.domain.manifests import Manifest, condition_is_true
from local_system import RunningControlPlane

NAMESPACE = "node-tests"
NODE = "local"
Found = TypeVar("Found")
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


class Kube:
    """The cluster as its administrator sees it."""

    def __init__(self, cluster: Cluster, session: aiohttp.ClientSession) -> None:
        self.cluster = cluster
        self._session = session

    async def prepare(self) -> None:
        """Make the namespace, and wait until pods can run in it."""
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        await self.cluster.apply(f"/api/v1/namespaces/{NAMESPACE}", manifest)
        await self.exists(f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default")

        async def ready() -> bool:
            return condition_is_true(await self.cluster.get(f"/api/v1/nodes/{NODE}"), "Ready")

        await self.exists(f"/api/v1/nodes/{NODE}")
        await eventually(ready, 20)

    async def clear(self) -> None:
        """Remove what tests made."""
        core = [
            f"/api/v1/namespaces/{NAMESPACE}/{kind}" for kind in ("services", "persistentvolumeclaims", "secrets")
        ]
        for path in (DEPLOYMENTS, PODS, *core):
            for item in (await self.cluster.get(path))["items"]:
                await self.cluster.delete(f"{path}/{item['metadata']['name']}")
                await self.gone(f"{path}/{item['metadata']['name']}")

    async def run(self, name: str, script: str, **fields: Any) -> Manifest:
        """Start a pod whose one container runs a shell script; fields of the container and, as `pod`, of the spec."""
        container = {"name": "main", "image": "none", "command": ["sh", "-c", script], **fields}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False}
        return await self.pod(name, {**spec, **container.pop("pod", {})})

    async def pod(self, name: str, spec: Manifest) -> Manifest:
        """Make a pod of this spec, labelled `app: <name>`."""
        manifest = {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}
        return await self.cluster.create(PODS, {"apiVersion": "v1", "kind": "Pod", **manifest})

    async def service(self, name: str, app: str, port: int) -> str:
        """Make a Service and return its ClusterIP."""
        spec = {"selector": {"app": app}, "ports": [{"port": port}]}
        manifest = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
        made = await self.cluster.create(f"/api/v1/namespaces/{NAMESPACE}/services", manifest)
        return str(made["spec"]["clusterIP"])

    async def apply(self, kind: str, plural: str, name: str, **fields: Any) -> Manifest:
        """Make a core object so."""
        manifest = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, **fields}
        return await self.cluster.apply(f"/api/v1/namespaces/{NAMESPACE}/{plural}/{name}", manifest)

    async def pod_when(self, name: str, true: Callable[[Manifest], bool], seconds: float = 20) -> Manifest:
        """Return the pod as soon as something is true of it."""

        async def look() -> Manifest | None:
            pod = await self.cluster.get(f"{PODS}/{name}")
            return pod if true(pod) else None

        return await eventually(look, seconds)

    async def logs(self, name: str, **query: str) -> str:
        """Return a pod's log as `kubectl logs` gets it: from the API server, which asks the node."""
        async with self._session.get(f"{self.cluster.server}{PODS}/{name}/log", params=query) as answer:
            text = await answer.text()
            assert answer.status == HTTPStatus.OK, text
            return text

    async def delete(self, name: str) -> None:
        """Delete a pod and wait until it is gone."""
        await self.cluster.delete(f"{PODS}/{name}")
        await self.gone(f"{PODS}/{name}")

    async def exists(self, path: str) -> None:
        """Wait until there is such an object."""
        await eventually(lambda: self._is_there(path), 20)

    async def gone(self, path: str) -> None:
        """Wait until there is no such object."""

        async def look() -> bool:
            return not await self._is_there(path)

        await eventually(look, 20)

    async def _is_there(self, path: str) -> bool:
        try:
            await self.cluster.get(path)
        except ApiError as error:
            if not error.not_found:
                raise
            return False
        return True


async def eventually(look: Callable[[], Awaitable[Found | None]], seconds: float) -> Found:
    """Return what `look` finds, looking ten times a second."""
    end = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < end, f"not within {seconds} s"
        await asyncio.sleep(0.1)
    return found


def is_ready(pod: Manifest) -> bool:
    return condition_is_true(pod, "Ready")


def container_status(pod: Manifest) -> Manifest:
    """The first container's status, empty before the node wrote one."""
    statuses = pod.get("status", {}).get("containerStatuses")
    return statuses[0] if statuses else {}


def is_running(pod: Manifest) -> bool:
    return "running" in container_status(pod).get("state", {})


def waits_for(reason: str) -> Callable[[Manifest], bool]:
    return lambda pod: container_status(pod).get("state", {}).get("waiting", {}).get("reason") == reason


@dataclass
class NodeProcess:
    """The node under test as a process."""

    control_plane: RunningControlPlane
    state: Path
    kubelet_port: int = field(default_factory=lambda: free_port())  # noqa: PLW0108 - defined below
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        held, kubelet = self.control_plane, self.control_plane.pki.pair("kubelet")
        options = {
            "kubeconfig": held.node_kubeconfig,
            "name": NODE,
            "state": self.state,
            "pod-cidr": "127.213.0.0/16",
            "namespace": NAMESPACE,
            "kubelet-port": self.kubelet_port,
            "tls-cert": kubelet.certificate,
            "tls-key": kubelet.key,
            "client-ca": held.pki.ca,
            "host": "agents.localhost=127.0.0.1",
            "env": "BELOW=node",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        self.process = subprocess.Popen([sys.executable, "-m", "kupyterhub_local.node", *words])

    def end(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(15)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def processes(words: str) -> list[int]:
    """The processes of this machine with these words in their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if words in command:
                found.append(int(entry.name))
    return found
