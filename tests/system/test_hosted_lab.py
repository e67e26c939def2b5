"""JupyterLab behind Google's hosted service, which passes no WebSockets, in a real browser."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from cluster.hosted.conftest import Agent, person, running_agent
from cluster.hosted.google import DOMAIN, Google, running_google
from cluster.proxy.backend import CLOSED, backend_app
from cluster.proxy.conftest import jupyterlab  # noqa: F401 - a fixture
from cluster.proxy.harness import ADA, Certificate, JupyterLab, eventually
from system.lab import new_notebook, run_cell


@pytest.fixture
async def google(tmp_path: Path) -> AsyncIterator[Google]:
    files = Certificate(tmp_path, DOMAIN).environment()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files["KUPYTERHUB_TLS_CERT_FILE"], files["KUPYTERHUB_TLS_KEY_FILE"])
    async with running_google(tls) as running:
        yield running


@pytest.fixture
async def agent(google: Google) -> AsyncIterator[Agent]:
    async with running_agent(google) as running:
        yield running


@pytest.fixture
def chromium_options(google: Google) -> tuple[str, ...]:
    return (
        f"--host-resolver-rules=MAP *.googleusercontent.com 127.0.0.1:{google.front_port}",
        "--ignore-certificate-errors",
    )


@pytest.fixture
def sockets(page: Page) -> list[Any]:
    """The WebSockets that the browser itself opened."""
    opened: list[Any] = []
    page.on("websocket", lambda socket: opened.append(socket))  # noqa: PLW0108 - playwright takes no builtin
    return opened


async def test_a_cell_runs_without_a_websocket(
    agent: Agent,
    google: Google,
    jupyterlab: JupyterLab,  # noqa: F811 - the fixture
    page: Page,
    sockets: list[Any],
) -> None:
    await agent.serve(person(ADA, jupyterlab.url, jupyterlab.token))
    await page.goto(f"https://{google.service.hostname(ADA)}/lab")
    await new_notebook(page)
    assert await run_cell(page, "print(6 * 7)") == "42"
    assert not sockets


STEPS = """async () => {
    const log = [];
    const socket = new WebSocket(new URL("/ws", location.href), ["v9", "v1"]);
    socket.onopen = (event) => log.push(["on", event.type, socket.protocol]);
    const arrives = (type) => new Promise((done) => socket.addEventListener(type, done, { once: true }));
    log.push([socket.readyState, socket.url, socket instanceof WebSocket, socket instanceof EventTarget]);
    try { socket.send("early"); } catch (error) { log.push(error.name); }
    await arrives("open");
    socket.send("text é");
    log.push([socket.readyState, socket.bufferedAmount]);
    const text = await arrives("message");
    log.push([text.data, text.origin === location.origin.replace("http", "ws")]);
    socket.send(Uint8Array.of(0, 255, 128));
    const blob = (await arrives("message")).data;
    log.push([blob instanceof Blob, ...new Uint8Array(await blob.arrayBuffer())]);
    socket.binaryType = "arraybuffer";
    socket.binaryType = "nonsense";
    socket.send(new Blob([Uint8Array.of(7)]));
    socket.send(Uint8Array.of(1, 2, 3, 4).subarray(1, 3));
    const second = await arrives("message");
    const third = await arrives("message");
    log.push([...new Uint8Array(second.data), ...new Uint8Array(third.data), socket.binaryType]);
    for (const [code, reason] of [[1001, ""], [1000, "x".repeat(124)]]) {
        try { socket.close(code, reason); } catch (error) { log.push(error.name); }
    }
    socket.send("last");
    const closes = arrives("close");
    socket.close(4000, "bye");
    log.push(socket.readyState);
    const closed = await closes;
    log.push([closed.code, closed.reason, closed.wasClean, socket.readyState, socket.bufferedAmount]);
    return log;
}"""

THE_NOTEBOOK_CLOSES = """async () => {
    const socket = new WebSocket("/ws");
    const closed = new Promise((done) => { socket.onclose = done; });
    await new Promise((done) => { socket.onopen = done; });
    socket.send("close");
    const { code, reason, wasClean } = await closed;
    return [code, reason, wasClean];
}"""

IT_IS_REFUSED = """async () => {
    const socket = new WebSocket("/nothing");
    const events = [];
    await new Promise((done) => {
        socket.onerror = (event) => events.push(event.type);
        socket.onclose = (event) => { events.push(event.type, event.code, event.wasClean); done(); };
    });
    return events;
}"""

MISUSE = """() => [
    () => new WebSocket("ftp://x/"), () => new WebSocket("https://["), () => new WebSocket("/ws", ["a", "a"]),
    () => new WebSocket("/ws", "no token"), () => WebSocket("/ws"),
].map((wrong) => { try { wrong(); return "nothing"; } catch (error) { return error.name; } })"""

CONSTANTS = """() => {
    const socket = new WebSocket("wss://127.0.0.1:1/");
    return [WebSocket.CONNECTING, WebSocket.OPEN, WebSocket.CLOSING, WebSocket.CLOSED, WebSocket.prototype.OPEN,
        socket.constructor.name];
}"""


async def test_the_script_does_what_a_websocket_does(
    agent: Agent, google: Google, page: Page, sockets: list[Any]
) -> None:
    async with TestServer(backend_app(), host="127.0.0.1") as notebook:
        await agent.serve(person(ADA, str(notebook.make_url("/"))))
        host = google.service.hostname(ADA)
        await page.goto(f"https://{host}/html")
        assert await page.evaluate("() => document.head.firstElementChild.tagName") == "SCRIPT"
        assert await page.evaluate(STEPS) == [
            [0, f"wss://{host}/ws", True, True],
            "InvalidStateError",
            ["on", "open", "v1"],
            [1, 7],
            ["text é", True],
            [True, 0, 255, 128],
            [7, 2, 3, "arraybuffer"],
            "InvalidAccessError",
            "SyntaxError",
            2,
            [4000, "bye", True, 3, 0],
        ]
        await eventually(lambda: notebook.app[CLOSED] == [4000])
        assert await page.evaluate(THE_NOTEBOOK_CLOSES) == [4321, "as you wish", True]
        assert await page.evaluate(IT_IS_REFUSED) == ["error", "close", 1006, False]
        assert await page.evaluate(MISUSE) == ["SyntaxError"] * 4 + ["TypeError"]
        assert not sockets
        assert await page.evaluate(CONSTANTS) == [0, 1, 2, 3, 1, "WebSocket"]
        await expect(page.locator("body")).to_contain_text("hello")
        assert len(sockets) == 1, "one of another host is the browser's own"
