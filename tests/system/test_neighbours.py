"""Two notebooks under one registrable domain over TLS: `same-site` to a real browser, but neighbours only.

(Names under `localhost` are different sites, which hides what would be wrong.)
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, Response, expect

from cluster.proxy.harness import ADA, ADMIN, EVE, Certificate, System, running_agent, running_proxy
from kupyterhub_proxy.names import base_name
from system.lab import sign_in

DOMAIN = "example.test"

# Each gives what a script on the page can learn: an empty text if nothing.
READ = "url => fetch(url, {credentials: 'include'}).then(answer => answer.text()).catch(() => '')"
READ_OPAQUE = (
    "url => fetch(url, {credentials: 'include', mode: 'no-cors'}).then(answer => answer.text()).catch(() => '')"
)
POST = (
    "url => fetch(url, {credentials: 'include', mode: 'no-cors', method: 'POST', body: '{}'})"
    ".then(answer => answer.text()).catch(() => '')"
)
OPEN_SOCKET = """url => new Promise(done => {
  const socket = new WebSocket(url.replace('https', 'wss'))
  socket.onmessage = message => done(message.data)
  socket.onopen = () => socket.send('heard')
  socket.onerror = socket.onclose = () => done('')
})"""
EMBED = """url => Promise.all(['img', 'script', 'iframe'].map(kind => new Promise(done => {
  const element = document.createElement(kind)
  element.onload = element.onerror = () => done(kind)
  element.src = url
  document.body.append(element)
}))).then(() => '')"""
SUBMIT = """url => {
  const form = document.createElement('form')
  form.method = 'post'
  form.action = url
  document.body.append(form)
  form.submit()
}"""
FOLLOW_LINK = """url => {
  const link = document.createElement('a')
  link.href = url
  document.body.append(link)
  link.click()
}"""


class Notebook:
    """A stand-in for JupyterLab that remembers what reached it beside the agent's own questions."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/api", self._well),
                web.get("/api/{what}", self._well),
                web.get("/socket", self._socket),
                web.route("*", "/{any:.*}", self._page),
            ]
        )
        return app

    async def _well(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "2"})

    async def _page(self, request: web.Request) -> web.Response:
        if request.path != "/favicon.ico":
            self.reached.append(f"{request.method} {request.path}")
        return web.Response(text="<!doctype html><title>a notebook</title>secret", content_type="text/html")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        self.reached.append("socket")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket


@pytest.fixture
def chromium_options() -> tuple[str, ...]:
    return (f"--host-resolver-rules=MAP *.{DOMAIN} 127.0.0.1", "--ignore-certificate-errors")


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[System]:
    async with running_proxy(tmp_path, domain=DOMAIN, certificate=Certificate(tmp_path, DOMAIN)) as running:
        yield running


@pytest.fixture
async def notebooks(proxy: System) -> AsyncIterator[dict[str, Notebook]]:
    """Ada's and Eve's, each behind an agent."""
    found = {ADA: Notebook(), EVE: Notebook()}
    async with AsyncExitStack() as stack:
        for email, notebook in found.items():
            server = await stack.enter_async_context(TestServer(notebook.app(), host="127.0.0.1"))
            settings = proxy.agent_settings(email, str(server.make_url("/")))
            await stack.enter_async_context(running_agent(settings, proxy))
            await proxy.publisher.until("registered", settings.serves.name)
        yield found


@pytest.fixture
async def eves_page(proxy: System, notebooks: dict[str, Notebook], page: Page) -> Page:
    """Eve's page in the browser of an administrator, who is signed in on Ada's host as well."""
    await page.goto(str(proxy.url(base_name(ADA))))
    await sign_in(page, ADMIN)
    await expect(page).to_have_title("a notebook")
    await page.goto(str(proxy.url(base_name(EVE))))
    await expect(page).to_have_title("a notebook")
    assert notebooks[ADA].reached == notebooks[EVE].reached == ["GET /"]
    notebooks[ADA].reached.clear()
    return page


async def test_a_script_reaches_its_own_notebook_and_no_other(
    proxy: System, notebooks: dict[str, Notebook], eves_page: Page
) -> None:
    for script, path in (
        (READ, "/files/a"),
        (READ_OPAQUE, "/files/a"),
        (POST, "/api/kernels"),
        (OPEN_SOCKET, "/socket"),
        (EMBED, "/files/a"),
    ):
        notebooks[EVE].reached.clear()
        await eves_page.evaluate(script, str(proxy.url(base_name(EVE), path)))
        assert notebooks[EVE].reached, script
        assert not await eves_page.evaluate(script, str(proxy.url(base_name(ADA), path))), script
        assert not notebooks[ADA].reached, script


async def test_a_form_posts_to_no_other_notebook_but_a_link_leads_there(
    proxy: System, notebooks: dict[str, Notebook], eves_page: Page
) -> None:
    post = await navigate(eves_page, SUBMIT, str(proxy.url(base_name(ADA), "/api/kernels")))
    assert post.status == 403
    assert not notebooks[ADA].reached
    await eves_page.go_back()
    link = await navigate(eves_page, FOLLOW_LINK, str(proxy.url(base_name(ADA), "/lab")))
    assert link.status == 200
    assert notebooks[ADA].reached == ["GET /lab"]


async def navigate(page: Page, script: str, url: str) -> Response:
    """Run a script that leaves the page, and return what was answered."""
    async with page.expect_navigation() as navigation:
        await page.evaluate(script, url)
    answer = await navigation.value
    assert answer is not None
    return answer
