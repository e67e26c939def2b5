"""The node's copy of a collection, against a twin of the API server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kupyterhub_local.node.cluster import ApiError
from kupyterhub_local.node.mirror import Mirror

Event = tuple[str, dict[str, Any]]


def item(uid: str, version: int) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "resourceVersion": str(version)}}


class TwinCluster:
    """Answers each list and each watch with the next one prepared; then says nothing more."""

    def __init__(self, lists: list[list[dict[str, Any]]], watches: list[list[Event | ApiError]]) -> None:
        self.lists = lists
        self.watches = watches
        self.versions: list[str] = []
        self.idle = asyncio.Event()

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        return {"items": self.lists.pop(0), "metadata": {"resourceVersion": "10"}}

    async def watch(self, path: str, version: str, **query: str) -> AsyncIterator[Event]:
        self.versions.append(version)
        if not self.watches:
            self.idle.set()
            await asyncio.Event().wait()
        for event in self.watches.pop(0):
            if isinstance(event, ApiError):
                raise event
            yield event


async def heard(cluster: TwinCluster) -> tuple[list[tuple[str, str, bool]], set[str]]:
    """Return (uid, version, deleted) of all that a listener heard, and the uids that are left."""
    mirror = Mirror(cluster, "/things")  # type: ignore[arg-type]  # a twin
    told = []
    mirror.listen(lambda thing, deleted: told.append((*thing["metadata"].values(), deleted)))
    running = asyncio.create_task(mirror.run())
    async with asyncio.timeout(5):
        await cluster.idle.wait()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return told, {thing["metadata"]["uid"] for thing in mirror}


async def test_a_watch_goes_on_where_the_last_one_ended() -> None:
    changes: list[Event | ApiError] = [("MODIFIED", item("a", 11)), ("BOOKMARK", item("", 20))]
    cluster = TwinCluster([[item("a", 1)]], [changes, [("ADDED", item("b", 21))]])
    told, left = await heard(cluster)
    assert told == [("a", "1", False), ("a", "11", False), ("b", "21", False)]
    assert left == {"a", "b"}
    assert cluster.versions == ["10", "20", "21"]


@pytest.mark.parametrize("status", [410, 0])
async def test_after_a_lost_watch_only_what_changed_is_told(status: int) -> None:
    cluster = TwinCluster([[item("a", 1), item("b", 2)], [item("b", 2), item("c", 3)]], [[ApiError(status, "lost")]])
    told, left = await heard(cluster)
    assert told == [("a", "1", False), ("b", "2", False), ("a", "1", True), ("c", "3", False)]
    assert left == {"b", "c"}


async def test_a_deletion_is_told_once_and_an_older_version_never() -> None:
    changes: list[Event | ApiError] = [
        ("MODIFIED", item("a", 4)),
        ("DELETED", item("a", 6)),
        ("DELETED", item("a", 6)),
    ]
    told, left = await heard(TwinCluster([[item("a", 5)]], [changes]))
    assert told == [("a", "5", False), ("a", "6", True)]
    assert left == set()
