"""A node for these tests, and the cluster that it belongs to."""

import signal
import ssl
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from cluster.node.kube import Kube, NodeProcess
from kupyterhub_local.node.cluster import Cluster
from local_system import RunningControlPlane


@pytest.fixture(scope="package")
def node(control_plane: RunningControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A running node that serves the tests' namespace."""
    node = NodeProcess(control_plane, tmp_path_factory.mktemp("node"))
    node.start()
    yield node
    node.end(signal.SIGTERM)


@pytest.fixture
async def kube(control_plane: RunningControlPlane, node: NodeProcess) -> AsyncIterator[Kube]:
    """The cluster with the tests' namespace, in which nothing is left after the test."""
    tls = ssl.create_default_context(cafile=control_plane.pki.ca)
    admin = control_plane.pki.pair("admin")
    tls.load_cert_chain(admin.certificate, admin.key)
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls))
    async with Cluster(control_plane.admin_kubeconfig) as cluster, session:
        kube = Kube(cluster, session)
        await kube.prepare()
        yield kube
        await kube.clear()
