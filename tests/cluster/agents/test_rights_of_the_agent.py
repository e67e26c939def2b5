"""What the shared agent asks of a real API server, with the rights of its ServiceAccount."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yarl import URL

import local_system
import shared_agent
from kupyterhub_agent.directory.api import Access, Api, ApiError
from kupyterhub_agent.directory.entries import SELECTOR
from kupyterhub_agent.lease import Lease, Terms
from kupyterhub_local.node.cluster import Cluster
from kupyterhub_rules.names import base_name

SERVICES = "/api/v1/namespaces/kupyterhub/services"


@pytest.fixture
async def cluster(control_plane: local_system.RunningControlPlane) -> AsyncIterator[Cluster]:
    async with Cluster(control_plane.admin_kubeconfig) as running:
        yield running


@pytest.fixture
async def api(
    tmp_path: Path, control_plane: local_system.RunningControlPlane, cluster: Cluster
) -> AsyncIterator[Api]:
    await shared_agent.credentials(cluster, control_plane.pki.ca, tmp_path / "api")
    access = Access(URL(control_plane.server), tmp_path / "api")
    async with access.session() as session:
        yield Api(access, session)


async def test_one_at_a_time_has_the_lease_and_hands_it_over(api: Api) -> None:
    terms = Terms(duration=5, deadline=3, renew=0.05)
    first, second = (Lease(api, "kupyterhub", name, terms) for name in ("first", "second"))
    async with asyncio.timeout(20):
        await first.acquire()
        holding, waiting = asyncio.create_task(first.hold()), asyncio.create_task(second.acquire())
        await asyncio.sleep(0.5)
        assert not holding.done()
        assert not waiting.done()
        holding.cancel()
        await first.release()
        await waiting
        await second.release()


async def test_a_list_of_many_comes_in_pages_and_a_watch_tells_what_changes(api: Api, cluster: Cluster) -> None:
    names = [base_name(f"paged-{number}@example.org") for number in range(5)]
    try:
        for name in names:
            await shared_agent.enrol(cluster, name, "paged@example.org")
        pages = [page async for page in api.pages(SERVICES, SELECTOR, 2)]
        assert max(len(page["items"]) for page in pages) <= 2
        listed = {item["metadata"]["name"] for page in pages for item in page["items"]}
        assert {f"jupyterlab-{name}" for name in names} <= listed
        version = pages[-1]["metadata"]["resourceVersion"]
        await shared_agent.dismiss(cluster, names[0])
        told = api.watch(SERVICES, SELECTOR, version)
        async with asyncio.timeout(10), contextlib.aclosing(told):
            kind, item = await anext(told)
        assert (kind, item["metadata"]["name"]) == ("DELETED", f"jupyterlab-{names[0]}")
    finally:
        for name in names:
            await shared_agent.dismiss(cluster, name)


async def test_it_may_not_write_what_it_reads(api: Api) -> None:
    with pytest.raises(ApiError) as refused:
        await api.ask("POST", SERVICES, body={"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}})
    assert refused.value.status == 403


async def test_it_reads_notebooks_tokens_and_no_secret_of_the_proxys_namespace(api: Api) -> None:
    assert (await api.ask("GET", "/api/v1/namespaces/kupyterhub/secrets"))["kind"] == "SecretList"
    with pytest.raises(ApiError) as refused:
        await api.ask("GET", "/api/v1/namespaces/kupyterhub-proxy/secrets/proxy")
    assert refused.value.status == 403
