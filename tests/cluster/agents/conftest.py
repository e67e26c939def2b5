"""One rig for each test: its processes are killed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import aiohttp
import pytest

import shared_agent
from cluster.agents.rig import SERVERS, Events, Replica, Rig, notebooks
from cluster.proxy.harness import Browser, free_port
from kupyterhub_local.node.cluster import Cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import local_system


def show_logs(folder: Path) -> None:
    for log in sorted(folder.glob("*.log")):
        sys.stdout.write(f"== {log.name}\n{log.read_text()}")


@pytest.fixture
def events(emulators: local_system.RunningEmulators) -> Iterator[Events]:
    running = Events(emulators.pubsub_host)
    yield running
    running.close()


@pytest.fixture
async def rig(
    tmp_path: Path,
    control_plane: local_system.RunningControlPlane,
    emulators: local_system.RunningEmulators,
    events: Events,
) -> AsyncIterator[Rig]:
    async with Cluster(control_plane.admin_kubeconfig) as cluster, notebooks():
        rig = Rig(
            tmp_path,
            free_port(),
            emulators.pubsub_host,
            events.topic,
            cluster,
            control_plane.pki.ca,
            control_plane.server,
        )
        await rig.prepare()
        jar = aiohttp.CookieJar()
        for address in SERVERS:
            replica = Replica(rig.port, tmp_path, "http", rig.signer.domain, address=address)
            browser = rig.browsers[address] = Browser(replica)
            await browser.session.close()
            browser.session = aiohttp.ClientSession(
                connector=replica.connector(), auto_decompress=False, cookie_jar=jar
            )
            rig.start_server(address)
        await rig.is_ready(*SERVERS)
        try:
            yield rig
        finally:
            for name in rig.enrolled:
                await shared_agent.dismiss(cluster, name)
            for browser in rig.browsers.values():
                await browser.close()
            for process in rig.processes.values():
                process.kill()
                process.wait()
            show_logs(tmp_path)
