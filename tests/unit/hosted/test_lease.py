"""Which replica of the shared agent serves, by a Lease."""

import asyncio
from typing import Any

import pytest

from kupyterhub_agent.directory.api import ApiError
from kupyterhub_agent.hosted.lease import EXPIRE_SECONDS, Lease


class OneLease:
    """The API server's place: it keeps one Lease and refuses what was read before another's write."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.away = False
        self._version = 0

    async def ask(
        self, method: str, path: str, *, query: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self.away:
            raise ApiError(0, "no answer")
        collection = "/apis/coordination.k8s.io/v1/namespaces/kupyterhub/leases"
        assert path == (collection if method == "POST" else f"{collection}/agent")
        if method == "GET":
            if self.lease is None:
                raise ApiError(404, "not found")
            return self.lease
        assert body is not None
        stored = self.lease["metadata"]["resourceVersion"] if self.lease else None
        if body["metadata"].get("resourceVersion") != stored or (method == "POST" and self.lease):
            raise ApiError(409, "conflict")
        self._version += 1
        self.lease = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self._version)}}
        return self.lease

    @property
    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])


class Now:
    """A clock that is set."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def api() -> OneLease:
    return OneLease()


@pytest.fixture
def now() -> Now:
    return Now()


def lease(api: OneLease, now: Now, identity: str) -> Lease:
    return Lease(api, "kupyterhub", identity, now, 0.001)  # type: ignore[arg-type]


async def waits(acquiring: "asyncio.Task[None]") -> bool:
    await asyncio.sleep(0.02)
    return not acquiring.done()


async def test_the_first_one_gets_it_and_a_second_waits(api: OneLease, now: Now) -> None:
    await lease(api, now, "a").acquire()
    second = asyncio.create_task(lease(api, now, "b").acquire())
    assert await waits(second)
    assert api.holder == "a"
    second.cancel()


async def test_of_many_at_once_one_gets_it(api: OneLease, now: Now) -> None:
    tasks = [asyncio.create_task(lease(api, now, str(number)).acquire()) for number in range(10)]
    await asyncio.sleep(0.05)
    assert [task.done() for task in tasks].count(True) == 1
    for task in tasks:
        task.cancel()


async def test_a_released_one_is_taken_at_once(api: OneLease, now: Now) -> None:
    first = lease(api, now, "a")
    await first.acquire()
    await first.release()
    await asyncio.wait_for(lease(api, now, "b").acquire(), 1)
    assert api.holder == "b"
    assert api.lease is not None
    assert api.lease["spec"]["leaseTransitions"] == 2


async def test_one_whose_holder_is_gone_is_taken_once_it_has_expired(api: OneLease, now: Now) -> None:
    await lease(api, now, "a").acquire()
    second = asyncio.create_task(lease(api, now, "b").acquire())
    assert await waits(second)
    now.seconds += EXPIRE_SECONDS - 1
    assert await waits(second)
    now.seconds += 2
    await asyncio.wait_for(second, 1)
    assert api.holder == "b"


async def test_the_holders_clock_does_not_matter(api: OneLease, now: Now) -> None:
    await lease(api, now, "a").acquire()
    assert api.lease is not None
    api.lease["spec"]["renewTime"] = "1970-01-01T00:00:00.000000Z"
    second = asyncio.create_task(lease(api, now, "b").acquire())
    assert await waits(second)
    second.cancel()


async def test_who_cannot_renew_stops_before_another_may_begin(api: OneLease, now: Now) -> None:
    first = lease(api, now, "a")
    await first.acquire()
    api.away = True
    holding = asyncio.create_task(first.hold())
    assert await waits(holding)
    now.seconds += EXPIRE_SECONDS - 1
    await asyncio.wait_for(holding, 1)


async def test_who_has_lost_it_stops_at_once(api: OneLease, now: Now) -> None:
    first = lease(api, now, "a")
    await first.acquire()
    assert api.lease is not None
    api.lease["spec"]["holderIdentity"] = "b"
    await asyncio.wait_for(first.hold(), 1)


async def test_releasing_what_another_holds_changes_nothing(api: OneLease, now: Now) -> None:
    await lease(api, now, "a").acquire()
    await lease(api, now, "b").release()
    assert api.holder == "a"
