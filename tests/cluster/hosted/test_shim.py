"""WebSockets as requests: what the page's script sends, through Google's hosted service, to the notebook."""

import asyncio
import base64
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestServer

from cluster.hosted.conftest import Agent, Browser, person, running_agent
from cluster.hosted.google import Google
from cluster.proxy.backend import CLOSED
from cluster.proxy.harness import ADA, eventually
from kupyterhub_agent.person import Person
from kupyterhub_agent.shim import endpoint as shim
from kupyterhub_agent.shim.session import MOST_QUEUED_BYTES


@pytest.fixture
def url(google: Google) -> str:
    return f"wss://{google.service.hostname(ADA)}/ws"


@pytest.fixture
async def opened(agent: Agent, browser: Browser, url: str) -> str:
    status, answer = await browser.shim("open", url)
    assert status == 200, answer
    assert (answer["msg"], answer["v"], answer["s"]) == (url, 1, "")
    return answer["id"]


async def test_messages_of_both_kinds_go_there_and_back(opened: str, browser: Browser) -> None:
    binary = [base64.b64encode(bytes(range(256))).decode()]
    sent = ["héllo", binary, ""]
    assert await browser.shim("data", [{"id": opened, "msg": message} for message in sent]) == (200, "ok")
    received: list[Any] = []
    while len(received) < len(sent):
        status, messages = await browser.shim("poll", {"id": opened})
        assert status == 200
        received += messages
    assert received == sent


async def test_a_poll_waits_for_a_message(opened: str, browser: Browser) -> None:
    polling = asyncio.create_task(browser.shim("poll", {"id": opened}))
    await asyncio.sleep(0.1)
    assert not polling.done()
    await browser.shim("data", [{"id": opened, "msg": "now"}])
    assert await polling == (200, ["now"])


async def test_a_poll_that_waited_long_enough_is_answered_408(
    google: Google, ada: Person, browser: Browser, url: str
) -> None:
    async with running_agent(google, limits=shim.Limits(poll_seconds=0.05)) as agent:
        await agent.serve(ada)
        _, answer = await browser.shim("open", url)
        assert await browser.shim("poll", {"id": answer["id"]}) == (408, "")
        await browser.shim("data", [{"id": answer["id"], "msg": "still there"}])
        assert await browser.shim("poll", {"id": answer["id"]}) == (200, ["still there"])


async def test_a_subprotocol_is_agreed_on(agent: Agent, browser: Browser, url: str) -> None:
    _, answer = await browser.shim("open", url, **{"X-Websocket-Shim-Protocols": "v3, v1"})
    assert answer["s"] == "v1"


async def test_the_page_is_told_how_the_notebook_closes(opened: str, browser: Browser) -> None:
    await browser.shim("data", [{"id": opened, "msg": "close"}])
    assert await browser.shim("poll", {"id": opened}) == (400, {"code": 4321, "reason": "as you wish"})
    status, _ = await browser.shim("poll", {"id": opened})
    assert status == 400


async def test_the_notebook_is_told_how_the_page_closes(opened: str, browser: Browser, notebook: TestServer) -> None:
    assert await browser.shim("close", {"id": opened, "code": 4000, "reason": "bye"}) == (200, "ok")
    await eventually(lambda: notebook.app[CLOSED] == [4000])
    status, _ = await browser.shim("data", [{"id": opened, "msg": "late"}])
    assert status == 400


async def test_without_polls_a_websocket_is_closed(
    google: Google, ada: Person, browser: Browser, url: str, notebook: TestServer
) -> None:
    async with running_agent(google, limits=shim.Limits(idle_seconds=0.2)) as agent:
        await agent.serve(ada)
        _, answer = await browser.shim("open", url)
        await eventually(lambda: len(notebook.app[CLOSED]) == 1)
        status, _ = await browser.shim("poll", {"id": answer["id"]})
        assert status == 400


async def test_polls_keep_it_open(google: Google, ada: Person, browser: Browser, url: str) -> None:
    async with running_agent(google, limits=shim.Limits(idle_seconds=0.2)) as agent:
        await agent.serve(ada)
        _, answer = await browser.shim("open", url)
        polling = asyncio.create_task(browser.shim("poll", {"id": answer["id"]}))
        await asyncio.sleep(0.5)
        await browser.shim("data", [{"id": answer["id"], "msg": "there"}])
        assert await polling == (200, ["there"])


async def test_a_page_that_reads_nothing_holds_the_notebook_up_and_loses_nothing(
    opened: str, browser: Browser
) -> None:
    message = "x" * (MOST_QUEUED_BYTES // 2)
    sending = asyncio.gather(*(browser.shim("data", [{"id": opened, "msg": message}]) for _ in range(20)))
    await asyncio.sleep(0.3)
    received = 0
    while received < 20:
        status, messages = await browser.shim("poll", {"id": opened})
        assert status == 200
        assert len(messages) <= 3
        received += len(messages)
    assert {status for status, _ in await sending} == {200}


@pytest.mark.parametrize(
    ("path", "status"),
    [("wss://evil.example/ws", 403), ("ws://{host}/ws", 403), ("https://{host}/ws", 403), ("/ws", 403),
     ("wss://{host}/ws x", 400), ("wss://{host}/ws\r\nX: 1", 400), ("wss://{host}/wś", 400), ("", 403)],
)  # fmt: skip
async def test_only_websockets_of_this_host_are_opened(
    agent: Agent, browser: Browser, google: Google, path: str, status: int
) -> None:
    answered, _ = await browser.shim("open", path.format(host=google.service.hostname(ADA)) or " ")
    assert answered in {status, 400}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://{host}"])
async def test_a_page_of_another_site_uses_no_websocket(
    opened: str, browser: Browser, google: Google, url: str, origin: str
) -> None:
    one: Any = {"id": opened}
    bodies = {"open": url, "data": [{**one, "msg": "x"}], "poll": one, "close": one}
    for action, body in bodies.items():
        status, _ = await browser.shim(action, body, Origin=origin.format(host=google.service.hostname(ADA)))
        assert status == 403


async def test_what_is_no_session_is_refused(agent: Agent, browser: Browser, url: str) -> None:
    for action, body in (("data", [{"id": "1", "msg": "x"}]), ("poll", {"id": "1"}), ("close", {"id": "1"})):
        assert (await browser.shim(action, body))[0] == 400
    assert (await browser.shim("open", url, **{"X-Websocket-Shim-Version": "0"}))[0] == 400
    assert (await browser.shim("poll", "no json"))[0] == 400
    assert (await browser.shim("other", {}))[0] == 404


async def test_what_the_notebook_refuses_is_refused(agent: Agent, browser: Browser, google: Google) -> None:
    status, text = await browser.shim("open", f"wss://{google.service.hostname(ADA)}/nothing")
    assert status == 400
    assert "refused" in text


async def test_there_are_so_many_at_most(google: Google, ada: Person, browser: Browser, url: str) -> None:
    async with running_agent(google, limits=shim.Limits(sessions=2)) as agent:
        await agent.serve(ada)
        opened = [(await browser.shim("open", url))[1]["id"] for _ in range(2)]
        assert (await browser.shim("open", url))[0] == 429
        await browser.shim("close", {"id": opened[0]})
        assert (await browser.shim("open", url))[0] == 200


async def test_a_request_is_not_held_without_bounds(google: Google, ada: Person, browser: Browser, url: str) -> None:
    async with running_agent(google, limits=shim.Limits(body_bytes=1000)) as agent:
        await agent.serve(ada)
        _, answer = await browser.shim("open", url)
        assert (await browser.shim("data", [{"id": answer["id"], "msg": "x" * 1000}]))[0] == 413


async def test_pages_get_the_script_and_it_is_served(agent: Agent, browser: Browser) -> None:
    asked = {"Accept": "text/html", "Accept-Encoding": "gzip, br"}
    async with browser.request("GET", "/html", headers=asked) as answer:
        assert f"{shim.PREFIX}websocket.js" in await answer.text()
    async with browser.request("GET", f"{shim.PREFIX}websocket.js") as answer:
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert "ShimmedWebSocket" in await answer.text()


async def test_the_notebook_sees_a_websocket_of_the_page_and_nothing_of_the_shim(
    google: Google, browser: Browser
) -> None:
    seen: list[web.BaseRequest] = []

    async def accept(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.receive()
        return socket

    async with RawTestServer(accept, host="127.0.0.1") as notebook, running_agent(google) as agent:
        await agent.serve(person(ADA, str(notebook.make_url("/"))))
        host = google.service.hostname(ADA)
        url = f"wss://{host}/ws?token=stolen&a=%20b"
        status, answer = await browser.shim("open", url, Cookie="a=1; GCP_IAP_UID=2", Authorization="Basic stolen")
        assert status == 200, answer
        await browser.shim("close", {"id": answer["id"]})
    assert seen[0].raw_path == "/ws?a=%20b"
    headers = seen[0].headers
    assert headers["Cookie"] == "a=1"
    assert headers["Authorization"] == "token t"
    assert (headers["Host"], headers["Origin"]) == (host, f"https://{host}")
    assert not {"Content-Type", "Content-Length"} & {name.title() for name in headers}
    assert not [name for name in headers if "shim" in name.lower() or "inverting" in name.lower()]
