"""Whose turn it is of several replicas."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from kupyterhub_agent.directory.api import ApiError
from kupyterhub_agent.lease import Lease, Terms

TERMS = Terms(duration=0.4, deadline=0.2, renew=0.01)


class TwinApi:
    """An API server with one Lease, which refuses a write of another version; it may be away."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.away = False
        self.hangs = False

    async def ask(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self.hangs:
            await asyncio.Event().wait()
        if self.away:
            raise ApiError(0, "away")
        if method == "GET":
            assert path == "/apis/coordination.k8s.io/v1/namespaces/kupyterhub/leases/agent"
            if self.lease is None:
                raise ApiError(404, "there is none")
            return copy.deepcopy(self.lease)
        assert body is not None
        version = self.lease["metadata"]["resourceVersion"] if self.lease else ""
        if body["metadata"].get("resourceVersion", "") != version:
            raise ApiError(409, "conflict")
        body["metadata"]["resourceVersion"] = str(int(version or 0) + 1)
        self.lease = copy.deepcopy(body)
        return body

    @property
    def holder(self) -> str:
        return self.lease["spec"]["holderIdentity"] if self.lease else ""


@pytest.fixture
def api() -> TwinApi:
    return TwinApi()


def lease_of(api: TwinApi, identity: str) -> Lease:
    return Lease(api, "kupyterhub", identity, TERMS)


async def test_of_two_that_come_together_one_has_the_turn(api: TwinApi) -> None:
    waiting = [asyncio.create_task(lease_of(api, name).acquire()) for name in "ab"]
    done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert (len(done), len(pending)) == (1, 1)
    for task in pending:
        task.cancel()


async def test_who_holds_keeps_it_and_who_releases_lets_the_other_have_it_at_once(api: TwinApi) -> None:
    first, second = lease_of(api, "a"), lease_of(api, "b")
    await first.acquire()
    holding = asyncio.create_task(first.hold())
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0.8)
    assert not waiting.done()
    assert api.holder == "a"
    holding.cancel()
    await asyncio.wait({holding})
    await first.release()
    async with asyncio.timeout(0.35):
        await waiting
    assert api.holder == "b"


async def test_who_is_gone_without_a_word_is_followed_when_its_lease_is_over(api: TwinApi) -> None:
    await lease_of(api, "a").acquire()
    async with asyncio.timeout(2):
        await lease_of(api, "b").acquire()
    assert api.holder == "b"


@pytest.mark.parametrize("trouble", ["away", "hangs"])
async def test_who_cannot_renew_it_stops_before_another_begins(api: TwinApi, trouble: str) -> None:
    lease = lease_of(api, "a")
    await lease.acquire()
    setattr(api, trouble, True)
    began = asyncio.get_running_loop().time()
    async with asyncio.timeout(2):
        await lease.hold()
    assert asyncio.get_running_loop().time() - began < TERMS.duration


async def test_who_lost_it_stops(api: TwinApi) -> None:
    lease = lease_of(api, "a")
    await lease.acquire()
    assert api.lease is not None
    api.lease["spec"]["holderIdentity"] = "b"
    async with asyncio.timeout(2):
        await lease.hold()
    await lease.release()
    assert api.holder == "b"
