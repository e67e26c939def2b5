"""What a page tries on a neighbour's notebook, and a notebook that remembers what reached it."""

from aiohttp import web
from playwright.async_api import Page, Response

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

BURDEN = """([domain, paths]) => paths.forEach((path, at) => {
  for (let more = 0; more < 12; more++) {
    document.cookie = `burden-${at}-${more}=${'x'.repeat(3900)}; Domain=${domain}; Path=${path}; Secure`
  }
})"""
"""Cookies for all hosts of the domain, more than any server takes."""


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


async def navigate(page: Page, script: str, url: str) -> Response:
    """Run a script that leaves the page, and return what was answered."""
    async with page.expect_navigation() as navigation:
        await page.evaluate(script, url)
    answer = await navigation.value
    assert answer is not None
    return answer
