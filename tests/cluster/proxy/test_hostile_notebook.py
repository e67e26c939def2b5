"""A JupyterLab that its person has answer anything: the agent, which may serve others too, goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from kupyterhub_agent.notebook import Location, Notebook, NotebookUnreachable, notebook_session

ANSWERS = {
    "/list": "[1, 2]",
    "/text": '"a text"',
    "/number": '{"started": 7}',
    "/nested": "[" * 200_000,
    "/large": '{"started": "' + "x" * 2_000_000 + '"}',
    "/broken": "{",
    "/bytes": "\udcff",
}


async def answer(request: web.Request) -> web.StreamResponse:
    what = request.app[WHAT]
    if what == "/redirect":
        raise web.HTTPFound("/elsewhere")
    assert request.path == "/api/status"
    body = ANSWERS[what].encode(errors="surrogateescape")
    return web.Response(body=body, content_type="application/json")


WHAT = web.AppKey("what", str)


@pytest.fixture
async def notebook(request: pytest.FixtureRequest) -> AsyncIterator[Notebook]:
    app = web.Application()
    app[WHAT] = request.param
    app.router.add_route("*", "/{any:.*}", answer)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server(access_log=None)
    async with notebook_session() as session:
        yield Notebook(Location(URL(str(server.make_url("/"))), lambda: "t"), session)
    await server.close()


@pytest.mark.parametrize("notebook", ["/nested", "/large", "/broken", "/bytes", "/redirect"], indirect=True)
async def test_what_makes_no_sense_is_no_answer(notebook: Notebook) -> None:
    with pytest.raises(NotebookUnreachable):
        await notebook.started()


@pytest.mark.parametrize("notebook", ["/list", "/text", "/number"], indirect=True)
async def test_what_says_nothing_of_its_start_is_an_answer(notebook: Notebook) -> None:
    async with asyncio.timeout(5):
        assert await notebook.started() is None
