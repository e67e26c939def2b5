"""A real JupyterLab behind agent and server."""

import json
from collections.abc import AsyncIterator

import pytest

from cluster.proxy.harness import ADA, EVE, HTML, Browser, JupyterLab, System, running_agent
from cluster.proxy.kernels import execute_request


@pytest.fixture
async def notebook(system: System, browser: Browser, jupyterlab: JupyterLab) -> AsyncIterator[str]:
    """Ada's name: her agent serves the real JupyterLab, and she is signed in."""
    settings = system.agent_settings(ADA, jupyterlab.url, jupyter=jupyterlab.token)
    async with running_agent(settings, system):
        await system.publisher.until("registered", settings.serves.name)
        await browser.sign_in(ADA)
        yield settings.serves.name


async def start_kernel(browser: Browser, name: str) -> str:
    async with browser.request("POST", name, "/api/kernels", json={"name": "python3"}) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


async def test_its_page_and_its_files_load(browser: Browser, notebook: str) -> None:
    async with browser.request("GET", notebook, "/", headers=HTML) as answer:
        assert answer.status == 302
        assert answer.headers["Location"].startswith("/lab")
    async with browser.request("GET", notebook, "/lab", headers=HTML) as answer:
        assert answer.status == 200
        page = await answer.text()
    assert "jupyter-config-data" in page
    async with browser.request("PUT", notebook, "/api/contents/a%20b.txt", json=text_file("hello")) as answer:
        assert answer.status == 201, await answer.text()
    async with browser.request("GET", notebook, "/files/a%20b.txt") as answer:
        assert await answer.text() == "hello"


def text_file(content: str) -> dict[str, str]:
    return {"type": "file", "format": "text", "content": content}


async def test_a_cell_runs(browser: Browser, notebook: str) -> None:
    kernel = await start_kernel(browser, notebook)
    async with browser.websocket(notebook, f"/api/kernels/{kernel}/channels") as socket:
        await socket.send_str(json.dumps(execute_request("1+1")))
        while True:
            message = json.loads(await socket.receive_str(timeout=60))
            if message["msg_type"] == "execute_result":
                break
    assert message["content"]["data"]["text/plain"] == "2"


async def test_jupyters_own_subprotocol_is_agreed_on(browser: Browser, notebook: str) -> None:
    kernel = await start_kernel(browser, notebook)
    offered = ("v1.kernel.websocket.jupyter.org",)
    async with browser.websocket(notebook, f"/api/kernels/{kernel}/channels", protocols=offered) as socket:
        assert socket.protocol == offered[0]


async def test_another_person_gets_nothing_of_it(system: System, notebook: str) -> None:
    eve = Browser(system)
    try:
        await eve.sign_in(EVE, notebook)
        for path in ("/lab", "/api/contents", "/static/lab/index.html"):
            async with eve.request("GET", notebook, path) as answer:
                assert answer.status == 403
    finally:
        await eve.close()
