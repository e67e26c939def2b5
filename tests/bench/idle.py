"""What the shared agent costs while nobody does anything: 1,000 people, each with a JupyterLab that answers.

The agent is its real program with a real API server and a proxy server; one stand-in is everybody's JupyterLab.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

import local_system
import shared_agent
from bench.figures import Figure
from cluster.proxy.harness import NAMESPACE, System, free_port, running_proxy
from kupyterhub_local.node.cluster import Cluster
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = 1000
SETTLE_SECONDS = 15.0
SECONDS = 60.0
AGENT = "127.0.0.7"
MIB = 1024 * 1024


def measure() -> Iterator[Figure]:
    """Enrol everybody, start the agent, wait until all are registered, then watch the process."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, local_system.control_plane(Path(folder) / "control-plane") as plane:
        notebooks = subprocess.Popen([sys.executable, "-m", "bench.idle_notebooks", "127.0.0.1", str(port)])
        try:
            yield from asyncio.run(_measure(Path(folder), plane, port))
        finally:
            notebooks.kill()
            notebooks.wait()


async def _measure(folder: Path, plane: local_system.RunningControlPlane, port: int) -> list[Figure]:
    people = [(base_name(email), email) for email in (f"person-{number}@example.org" for number in range(PEOPLE))]
    async with Cluster(plane.admin_kubeconfig) as cluster, running_proxy(folder) as proxy:
        await shared_agent.credentials(cluster, plane.pki.ca, folder / "api")
        for begin in range(0, PEOPLE, 50):
            together = people[begin : begin + 50]
            await asyncio.gather(*(shared_agent.enrol(cluster, *person, port=port) for person in together))
        started = time.perf_counter()
        agent = _start_agent(folder, plane, proxy, [name for name, _ in people])
        try:
            await _registered(proxy, agent)
            return await _watch(psutil.Process(agent.pid), time.perf_counter() - started)
        finally:
            agent.kill()
            agent.wait()


def _start_agent(
    folder: Path, plane: local_system.RunningControlPlane, proxy: System, names: list[str]
) -> subprocess.Popen[bytes]:
    (folder / "token").write_text(
        proxy.cluster.token("", "uid-agent", sub=f"system:serviceaccount:{NAMESPACE}:agent"),
    )
    host, port = plane.server.removeprefix("https://").split(":")
    environment = {
        "KUPYTERHUB_PROXY": "local",
        "KUPYTERHUB_PROXY_URL": proxy.origin("agents"),
        "KUPYTERHUB_PROXY_TOKEN_FILE": str(folder / "token"),
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": port,
        "POD_IP": AGENT,
        "POD_UID": "uid-agent",
    }
    hosts = [("127.0.0.1", "agents.localhost"), *(("127.0.0.1", f"jupyterlab-{name}") for name in names)]
    return shared_agent.start(folder / "api", environment, hosts, folder / "agent.log")


async def _registered(proxy: System, agent: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(180):
        while len({event["name"] for event in proxy.publisher.events}) < PEOPLE:
            assert agent.poll() is None
            await asyncio.sleep(0.1)


async def _watch(process: psutil.Process, took: float) -> list[Figure]:
    await asyncio.sleep(SETTLE_SECONDS)
    before, begun, largest = sum(process.cpu_times()[:2]), time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        largest = max(largest, process.memory_info().rss)
        await asyncio.sleep(0.5)
    share = (sum(process.cpu_times()[:2]) - before) / (time.perf_counter() - begun)
    details = f"all registered {took:.1f} s after its start"
    return [
        Figure(f"shared agent, {PEOPLE} idle people: memory", largest / MIB, 150, "MiB", details),
        Figure(f"shared agent, {PEOPLE} idle people: share of a core", share * 100, 5, "%", f"over {SECONDS:.0f} s"),
    ]
