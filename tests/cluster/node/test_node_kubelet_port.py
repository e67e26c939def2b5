"""Who may read logs from the node itself."""

import ssl

import aiohttp
import pytest

from cluster.node.kube import Kube, NodeProcess


async def test_a_client_without_a_certificate_of_the_cluster_is_refused(kube: Kube, node: NodeProcess) -> None:
    tls = ssl.create_default_context(cafile=node.control_plane.pki.ca)
    url = f"https://127.0.0.1:{node.kubelet_port}/containerLogs/kube-system/any/any"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(url)
