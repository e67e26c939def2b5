"""By which name an agent asks for the server that it dials."""

from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from kupyterhub_agent.visit import Handlers, NoVisit, Target, Visit


async def _nothing(_: object) -> None: ...


@pytest.mark.parametrize(
    ("host", "asked_for"),
    [
        pytest.param("https://agents.example.org", "agents.example.org", id="its scheme's own port is not said"),
        pytest.param("http://agents.localhost:8000", "agents.localhost:8000", id="any other is"),
    ],
)
async def test_the_server_is_asked_for_as_a_browser_would(tmp_path: Path, host: str, asked_for: str) -> None:
    asked: list[str] = []

    async def refuse(request: web.BaseRequest) -> web.Response:
        asked.append(request.headers["Host"])
        return web.Response(status=401)

    (tmp_path / "token").write_text("a token")
    app = web.Application()
    app.router.add_get("/agent/connect", refuse)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        with pytest.raises(NoVisit):
            await Visit.open(
                session, Target(server.make_url("/"), URL(host)), tmp_path / "token", Handlers(_nothing, _nothing)
            )
    assert asked == [asked_for]
