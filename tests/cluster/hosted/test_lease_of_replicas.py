"""The Lease of the shared agent's replicas on a real API server, with the rights that the agent has there."""

import asyncio
from pathlib import Path

from yarl import URL

import local_system
import shared_agent
from kupyterhub_agent.directory.api import Access, Api
from kupyterhub_agent.hosted.lease import Lease
from kupyterhub_local.node.cluster import Cluster


async def test_one_replica_serves_until_it_lets_go(
    tmp_path: Path, control_plane: local_system.RunningControlPlane
) -> None:
    async with Cluster(control_plane.admin_kubeconfig) as cluster:
        await shared_agent.credentials(cluster, control_plane.pki.ca, tmp_path / "agent")
    access = Access(URL(control_plane.server), tmp_path / "agent")
    async with access.session() as session:
        api = Api(access, session)
        first, second = (Lease(api, shared_agent.NAMESPACE, identity, look_seconds=0.05) for identity in ("a", "b"))
        await asyncio.wait_for(first.acquire(), 10)
        holding = asyncio.create_task(first.hold())
        waiting = asyncio.create_task(second.acquire())
        await asyncio.sleep(0.5)
        assert not holding.done()
        assert not waiting.done()
        holding.cancel()
        await first.release()
        await asyncio.wait_for(waiting, 10)
        await second.release()
