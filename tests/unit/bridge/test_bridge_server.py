from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from kupyterhub_local.bridge.event_queue import EventQueue
from kupyterhub_local.bridge.server import Inbox, make_app


@asynccontextmanager
async def bridge(folder: Path, *, registered: bool = True) -> AsyncIterator[SimpleNamespace]:
    seen = SimpleNamespace(added=0, changed=0)

    def added() -> None:
        seen.added += 1

    def changed() -> None:
        seen.changed += 1

    with EventQueue(folder / "queue.sqlite") as seen.queue:
        app = make_app(Inbox("p", seen.queue, added, changed, lambda: registered))
        async with TestClient(TestServer(app)) as seen.client:
            yield seen


async def test_a_message_is_stored_before_it_is_acknowledged(tmp_path: Path) -> None:
    async with bridge(tmp_path) as it:
        push = {"message": {"messageId": "1", "publishTime": "2026-11-24T05:46:09.320Z"}, "subscription": "s"}
        answer = await it.client.post("/topics/delete-user", json=push)

        assert answer.status == 204
        assert (len(it.queue), it.added) == (1, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/topics/delete-user", 400),
        ("/topics/unknown", 404),
        ("/functions/projects/p/triggers/on_user_written", 400),
        ("/functions/projects/p/triggers/unknown", 404),
        ("/functions/projects/other/triggers/on_user_written", 404),
    ],
)
async def test_what_is_no_event_is_refused_and_not_stored(tmp_path: Path, path: str, status: int) -> None:
    async with bridge(tmp_path) as it:
        answer = await it.client.post(path, data=b"nonsense")

        assert answer.status == status
        assert (len(it.queue), it.added) == (0, 0)


async def test_any_document_says_that_there_is_a_change_and_stores_nothing(tmp_path: Path) -> None:
    async with bridge(tmp_path) as it:
        answer = await it.client.post("/functions/projects/p/triggers/any_document", data=b"whatever")

        assert answer.status == 204
        assert (len(it.queue), it.changed) == (0, 1)


@pytest.mark.parametrize(("registered", "status"), [(True, 200), (False, 503)], ids=["registered", "waiting"])
async def test_it_is_healthy_once_registered(tmp_path: Path, *, registered: bool, status: int) -> None:
    async with bridge(tmp_path, registered=registered) as it:
        assert (await it.client.get("/healthz")).status == status
