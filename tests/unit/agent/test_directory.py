"""Whom the shared agent serves, from what the API server says."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from yarl import URL

from kupyterhub_agent.activity import ActivityRules
from kupyterhub_agent.directory.api import GONE, ApiError
from kupyterhub_agent.directory.directory import Directory
from kupyterhub_agent.directory.entries import SELECTOR, introduction
from kupyterhub_agent.person import Person

NAMESPACE = "kupyterhub"
NAMES = ("ada-0123456789abcdef", "eve-0123456789abcdef")


def service(name: str, version: int = 1, **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"jupyterlab-{name}",
            "resourceVersion": str(version),
            "labels": {"app.kubernetes.io/instance": name},
            "annotations": {
                "kupyterhub/user": f"u-{name}",
                "kupyterhub/email": f"{name}@example.org",
                **{f"kupyterhub/{key.replace('_', '-')}": value for key, value in annotations.items()},
            },
        },
        "spec": {"ports": [{"port": 8888}]},
    }


def secret(name: str, token: str = "t", version: int = 1) -> dict[str, Any]:  # noqa: S107 - opens nothing
    return {
        "metadata": {"name": f"jupyterlab-{name}", "resourceVersion": str(version)},
        "data": {"token": base64.b64encode(token.encode()).decode()},
    }


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)


class TwinApi:
    """An API server with two collections; a test changes them and may break what is under way."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, dict[str, Any]]] = {"services": {}, "secrets": {}}
        self.watches: dict[str, asyncio.Queue[tuple[str, dict[str, Any]] | ApiError]] = {}
        self.lists = 0
        self.watched_from: list[str] = []

    async def pages(self, path: str, selector: str) -> AsyncIterator[dict[str, Any]]:
        assert selector == SELECTOR
        self.lists += 1
        items = list(self.items[path.rpartition("/")[2]].values())
        for item in items:
            yield {"metadata": {"resourceVersion": "7"}, "items": [item]}
        yield {"metadata": {"resourceVersion": "7"}, "items": []}

    async def watch(self, path: str, _: str, version: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        self.watched_from.append(version)
        queue = self.watches[path.rpartition("/")[2]] = asyncio.Queue()
        while True:
            event = await queue.get()
            if isinstance(event, ApiError):
                raise event
            if event[0] == "END":
                return
            yield event

    def put(self, kind: str, item: dict[str, Any], event: str = "MODIFIED") -> None:
        self.items[kind][item["metadata"]["name"]] = item
        if kind in self.watches:
            self.watches[kind].put_nowait((event, item))

    def remove(self, kind: str, item: dict[str, Any]) -> None:
        del self.items[kind][item["metadata"]["name"]]
        self.watches[kind].put_nowait(("DELETED", item))


class TwinCrowd:
    """Takes note of whom it should serve."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.told = 0

    async def become(self, people: Mapping[str, Person]) -> None:
        self.people = dict(people)
        self.told += 1


class Scene:
    def __init__(self) -> None:
        self.api = TwinApi()
        self.crowd = TwinCrowd()
        self.directory = Directory(self.api, NAMESPACE, self.crowd)

    async def until(self, names: set[str]) -> None:
        await eventually(lambda: self.directory.told and self.crowd.people.keys() == names)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.directory.run())
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_service_and_a_secret_make_a_person(scene: Scene) -> None:
    ada, eve = NAMES
    scene.api.put("services", service(ada, idle_timeout="600", activity="kernels,tabs"))
    scene.api.put("secrets", secret(ada, "opens"))
    scene.api.put("services", service(eve))
    async with scene.running():
        await scene.until({ada})
    person = scene.crowd.people[ada]
    assert (person.user, person.email, person.token()) == (f"u-{ada}", f"{ada}@example.org", "opens")
    assert person.backend == URL(f"http://jupyterlab-{ada}:8888")
    assert person.activity == ActivityRules(timedelta(minutes=10), kernels=True, terminals=False, tabs=True)


async def test_who_comes_and_goes_is_seen_at_once(scene: Scene) -> None:
    ada, eve = NAMES
    for name in NAMES:
        scene.api.put("secrets", secret(name))
    scene.api.put("services", service(ada))
    async with scene.running():
        await scene.until({ada})
        scene.api.put("services", service(eve), "ADDED")
        await scene.until({ada, eve})
        scene.api.remove("services", service(ada))
        await scene.until({eve})
        scene.api.remove("secrets", secret(eve))
        await scene.until(set())


async def test_another_token_is_taken_without_serving_anew(scene: Scene) -> None:
    ada, _ = NAMES
    scene.api.put("services", service(ada))
    scene.api.put("secrets", secret(ada, "old"))
    async with scene.running():
        await scene.until({ada})
        before = scene.crowd.people[ada]
        told = scene.crowd.told
        scene.api.put("secrets", secret(ada, "new"))
        await eventually(lambda: scene.crowd.told > told)
        assert before.token() == "new"
        assert scene.crowd.people[ada] == before


async def test_a_version_that_is_gone_means_to_list_again_and_nobody_is_gone_meanwhile(scene: Scene) -> None:
    ada, eve = NAMES
    for name in NAMES:
        scene.api.put("secrets", secret(name))
    scene.api.put("services", service(ada))
    async with scene.running():
        await scene.until({ada})
        lists = scene.api.lists
        del scene.api.items["services"][f"jupyterlab-{ada}"]
        scene.api.items["services"][f"jupyterlab-{eve}"] = service(eve)
        scene.api.watches["services"].put_nowait(ApiError(GONE, "too old"))
        await scene.until({eve})
        assert scene.api.lists == lists + 1


async def test_a_watch_that_ends_goes_on_where_it_was(scene: Scene) -> None:
    async with scene.running():
        await scene.until(set())
        scene.api.watches["services"].put_nowait(("BOOKMARK", {"metadata": {"resourceVersion": "99"}}))
        scene.api.watches["services"].put_nowait(("END", {}))
        await eventually(lambda: "99" in scene.api.watched_from)
        assert scene.api.lists == 2


async def test_an_api_server_that_is_away_withdraws_nobody(scene: Scene) -> None:
    ada, eve = NAMES
    scene.api.put("services", service(ada))
    scene.api.put("secrets", secret(ada))
    scene.api.put("secrets", secret(eve))
    async with scene.running():
        await scene.until({ada})
        scene.api.watches["services"].put_nowait(ApiError(0, "away"))
        scene.api.items["services"][f"jupyterlab-{eve}"] = service(eve)
        assert ada in scene.crowd.people
        await scene.until({ada, eve})


def test_a_service_that_says_too_little_serves_nobody() -> None:
    bare = service(NAMES[0])
    del bare["metadata"]["annotations"]["kupyterhub/email"]
    assert introduction(bare) is None


def test_an_idle_timeout_that_makes_no_sense_is_none() -> None:
    introduced = introduction(service(NAMES[0], idle_timeout="soon"))
    assert introduced is not None
    assert introduced.activity == ActivityRules()
