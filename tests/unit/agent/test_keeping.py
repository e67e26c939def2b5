"""What the agent answers to the script of the warning."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from kupyterhub_agent.activity import Activity, ActivityRules
from kupyterhub_agent.keeping.endpoint import SCRIPT, Keeping
from kupyterhub_agent.notebook import NotebookUnreachable
from kupyterhub_tunnel.heads import AnswerHead, RequestHead
from twins.clock import FakeClock

HOUR = timedelta(hours=1)
AN_HOUR = ActivityRules(HOUR)
STATE = "/.kupyterhub/keeping/state"
KEEP = "/.kupyterhub/keeping/keep"


class Answered:
    """An exchange that keeps its answer."""

    def __init__(self, method: str, target: str) -> None:
        self.head = RequestHead(method, target, (), client="")
        self.body = b""
        self.ended = False

    async def chunks(self) -> AsyncIterator[bytes]:
        yield b""

    async def send_head(self, head: AnswerHead) -> None:
        self.answer = head

    async def write(self, data: bytes) -> None:
        self.body += data

    async def end(self) -> None:
        self.ended = True

    async def reset(self, reason: str) -> None:
        raise AssertionError(reason)


class Scene:
    """A JupyterLab whose kernel is busy or not, or which does not answer."""

    def __init__(self, rules: ActivityRules = AN_HOUR) -> None:
        self.clock = FakeClock()
        self.kernels = [{"execution_state": "idle", "last_activity": "2026-01-01T00:00:00Z"}]
        self.looks = 0
        self.answers = True
        self.activity = Activity(self, rules, now=self.clock)
        self.keeping = Keeping(self.activity)

    async def get_json(self, target: str) -> Any:
        self.looks += 1
        if not self.answers:
            raise NotebookUnreachable("busy", refused=False)
        return self.kernels if "kernels" in target else []

    async def ask(self, method: str, target: str) -> Answered:
        exchange = Answered(method, target)
        await self.keeping.serve(exchange)
        assert exchange.ended
        return exchange

    async def state(self, method: str = "GET", target: str = STATE) -> dict[str, Any]:
        return dict(json.loads((await self.ask(method, target)).body))


async def test_the_state_says_when_it_ends_and_asking_is_no_use() -> None:
    scene = Scene()
    scene.clock.move(minutes=5)
    assert await scene.state() == {
        "now": "2026-03-02T09:05:00.000Z",
        "warnAt": "2026-03-02T09:50:00.000Z",
        "idleAt": "2026-03-02T10:00:00.000Z",
    }
    assert scene.looks == 0


async def test_without_a_timeout_there_is_no_end() -> None:
    state = await Scene(ActivityRules(None)).state()
    assert (state["warnAt"], state["idleAt"]) == (None, None)


async def test_keeping_it_is_a_use() -> None:
    scene = Scene()
    scene.clock.move(minutes=55)
    assert (await scene.state("POST", KEEP))["idleAt"] == "2026-03-02T10:55:00.000Z"
    assert not scene.activity.ending


async def test_nobody_is_warned_while_a_kernel_has_become_busy() -> None:
    scene = Scene()
    scene.kernels[0]["execution_state"] = "busy"
    scene.clock.move(minutes=55)
    assert (await scene.state())["idleAt"] == "2026-03-02T10:55:00.000Z"


async def test_a_jupyterlab_that_does_not_answer_leaves_what_is_known() -> None:
    scene = Scene()
    scene.answers = False
    scene.clock.move(minutes=55)
    assert (await scene.state())["idleAt"] == "2026-03-02T10:00:00.000Z"


async def test_where_tabs_are_chosen_an_open_page_is_a_use() -> None:
    scene = Scene(ActivityRules(HOUR, tabs=True))
    scene.clock.move(minutes=5)
    assert (await scene.state())["idleAt"] == "2026-03-02T10:05:00.000Z"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("script.js", "text/javascript; charset=utf-8"), ("style.css", "text/css; charset=utf-8")],
)
async def test_its_files_are_served_by_the_agent(name: str, content_type: str) -> None:
    answered = await Scene().ask("GET", f"/.kupyterhub/keeping/{name}")
    headers = dict(answered.answer.headers)
    assert answered.answer.status == 200
    assert headers["Content-Type"] == content_type
    assert headers["Content-Length"] == str(len(answered.body))
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_the_markup_loads_a_file_that_is_served() -> None:
    path = SCRIPT.split('"')[1]
    assert (await Scene().ask("GET", path)).answer.status == 200


@pytest.mark.parametrize(
    ("method", "what"),
    [("GET", "keep"), ("POST", "state"), ("GET", ""), ("GET", "../endpoint.py"), ("GET", "endpoint.py")],
)
async def test_nothing_else_is_there_and_reading_keeps_nothing_awake(method: str, what: str) -> None:
    scene = Scene()
    before = scene.activity.last
    scene.clock.move(minutes=5)
    assert (await scene.ask(method, f"/.kupyterhub/keeping/{what}")).answer.status == 404
    assert scene.activity.last == before
