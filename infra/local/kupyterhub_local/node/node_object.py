"""The Node object and its Lease: how the cluster knows this node and that it lives."""

import asyncio
import logging
import os
import platform
import shutil
from datetime import UTC, datetime

from .cluster import ApiError, Cluster
from .domain.fields import HOST_IP
from .domain.manifests import Manifest, timestamp

_log = logging.getLogger(__name__)
_PODS = 250
_LEASE_SECONDS = 40
_HEARTBEAT_SECONDS = 10.0
_STATUS_EVERY_BEATS = 6
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_NOT_READY = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}


class NodeObject:
    """Registers the node and keeps it Ready."""

    def __init__(self, cluster: Cluster, name: str, kubelet_port: int) -> None:
        self._cluster = cluster
        self._name = name
        self._kubelet_port = kubelet_port
        self._path = f"/api/v1/nodes/{name}"
        self._ready_since = datetime.now(UTC)

    async def run(self) -> None:
        """Register, then beat for ever."""
        beat = 0
        while True:
            try:
                if beat == 0:
                    await self._cluster.apply(self._path, node_manifest(self._name))
                if beat % _STATUS_EVERY_BEATS == 0:
                    await self._write_status()
                await self._renew_lease()
                if beat == 0:
                    await self._remove_taints()
                    _log.info("node %s is ready", self._name)
                beat += 1
            except ApiError as error:
                _log.warning("node %s: %s; trying again", self._name, error)
                beat = 0 if error.not_found else beat
                await asyncio.sleep(1)
                continue
            await asyncio.sleep(_HEARTBEAT_SECONDS)

    async def _write_status(self) -> None:
        status = node_status(self._kubelet_port, self._ready_since, datetime.now(UTC))
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self._name}, "status": status}
        await self._cluster.apply(f"{self._path}/status", body)

    async def _renew_lease(self) -> None:
        renewed = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": "kube-node-lease"},
            "spec": {
                "holderIdentity": self._name,
                "leaseDurationSeconds": _LEASE_SECONDS,
                "renewTime": renewed,
            },
        }
        await self._cluster.apply(
            f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{self._name}", body
        )

    async def _remove_taints(self) -> None:
        """Let the scheduler use this node now; the node controller would come to it some seconds later."""
        taints = (await self._cluster.get(self._path))["spec"].get("taints", [])
        kept = [taint for taint in taints if taint["key"] not in _NOT_READY]
        if kept != taints:
            await self._cluster.merge(self._path, {"spec": {"taints": kept or None}})


def node_manifest(name: str) -> Manifest:
    """Return the Node without its status."""
    system = {"os": "linux", "arch": _ARCHITECTURES.get(platform.machine(), platform.machine())}
    labels = {f"kubernetes.io/{key}": value for key, value in {"hostname": name, **system}.items()}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def node_status(kubelet_port: int, ready_since: datetime, now: datetime) -> Manifest:
    """Return the Node's status: what this machine has, and that it is ready."""
    memory_kib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024
    capacity = {
        "cpu": str(os.cpu_count() or 1),
        "memory": f"{memory_kib}Ki",
        "ephemeral-storage": str(shutil.disk_usage(__file__).total),  # pods' folders are in this checkout
        "pods": str(_PODS),
    }
    times = {"lastHeartbeatTime": timestamp(now), "lastTransitionTime": timestamp(ready_since)}
    pressures = [
        {"type": f"{what}Pressure", "status": "False", "reason": "NotMeasured", **times}
        for what in ("Memory", "Disk", "PID")
    ]
    return {
        "addresses": [{"type": "InternalIP", "address": HOST_IP}],
        "capacity": capacity,
        "allocatable": capacity,
        "conditions": [*pressures, {"type": "Ready", "status": "True", "reason": "NodeReady", **times}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
        "nodeInfo": {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "bootID": "",
            "containerRuntimeVersion": "kupyterhub://processes",
            "kernelVersion": platform.release(),
            "kubeProxyVersion": "",
            "kubeletVersion": "kupyterhub",
            "machineID": "",
            "operatingSystem": "linux",
            "osImage": "Linux",
            "systemUUID": "",
        },
    }
