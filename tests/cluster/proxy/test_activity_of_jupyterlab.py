"""What a real JupyterLab says of its use."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from cluster.proxy.harness import JupyterLab
from cluster.proxy.kernels import execute_request, with_status
from kupyterhub_agent.activity import Activity, ActivityRules
from kupyterhub_agent.notebook import Location, Notebook, notebook_session


class Lab:
    """A client that goes round the agent, so that nothing but JupyterLab can have seen what it does."""

    def __init__(self, where: JupyterLab, session: aiohttp.ClientSession) -> None:
        self._url = where.url
        self._headers = {"Authorization": f"token {where.token}"}
        self._session = session

    async def ask(self, method: str, path: str, **more: Any) -> Any:
        async with self._session.request(method, f"{self._url}{path}", headers=self._headers, **more) as answer:
            assert answer.status < 300, await answer.text()
            return json.loads(await answer.text() or "null")

    def socket(self, path: str) -> Any:
        return self._session.ws_connect(f"{self._url}{path}", headers=self._headers)


@pytest.fixture
async def lab(jupyterlab: JupyterLab) -> AsyncIterator[Lab]:
    async with aiohttp.ClientSession() as session:
        yield Lab(jupyterlab, session)


@pytest.fixture
async def notebook(jupyterlab: JupyterLab) -> AsyncIterator[Notebook]:
    async with notebook_session() as session:
        yield Notebook(Location(URL(jupyterlab.url), lambda: jupyterlab.token), session)


async def moves(activity: Activity) -> bool:
    """Whether it has been used since the last look; a look that finds nothing moves nothing."""
    before = activity.last
    return await activity.look() > before


async def test_a_busy_kernel_is_used_now_and_an_idle_one_when_it_ended(lab: Lab, notebook: Notebook) -> None:
    kernel = (await lab.ask("POST", "/api/kernels", json={"name": "python3"}))["id"]
    activity = Activity(notebook, ActivityRules())
    async with lab.socket(f"/api/kernels/{kernel}/channels") as socket:
        await socket.send_str(json.dumps(execute_request("import time; time.sleep(1.5)")))
        await with_status(socket, "busy")
        assert datetime.now(UTC) - await activity.look() < timedelta(seconds=0.5)
        await asyncio.sleep(1)
        assert datetime.now(UTC) - await activity.look() < timedelta(seconds=0.5)
        await with_status(socket, "idle")
    await activity.look()
    assert not await moves(activity)
    await lab.ask("DELETE", f"/api/kernels/{kernel}")


async def test_typing_in_a_terminal_is_use_and_so_is_what_a_program_prints_unseen(
    lab: Lab, notebook: Notebook
) -> None:
    terminal = (await lab.ask("POST", "/api/terminals"))["name"]
    activity = Activity(notebook, ActivityRules())
    async with lab.socket(f"/terminals/websocket/{terminal}") as socket:
        await until_quiet(activity)
        await socket.send_str(json.dumps(["stdin", "x"]))
        await asyncio.sleep(0.3)
        assert await moves(activity)
        await socket.send_str(json.dumps(["stdin", "\x15sleep 1; echo printed; exec sleep 60\r"]))
    await until_quiet(activity)
    await asyncio.sleep(1.2)
    assert await moves(activity)
    # Now a program runs that prints nothing: that cannot be seen.
    await until_quiet(activity)
    await asyncio.sleep(0.3)
    assert not await moves(activity)
    await lab.ask("DELETE", f"/api/terminals/{terminal}")


async def until_quiet(activity: Activity) -> None:
    async with asyncio.timeout(10):
        while await moves(activity):  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.3)


async def test_requests_alone_are_use_where_tabs_are_chosen(lab: Lab, notebook: Notebook) -> None:
    default, tabs = Activity(notebook, ActivityRules()), Activity(notebook, ActivityRules(tabs=True))
    for activity in (default, tabs):
        await activity.look()
    await lab.ask("GET", "/api/contents")
    assert await moves(tabs)
    assert not await moves(default)
    for activity in (default, tabs):
        assert not await moves(activity)
