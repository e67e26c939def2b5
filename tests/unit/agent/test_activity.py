"""When a JupyterLab counts as used, and when it has been unused for too long."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kupyterhub_agent.activity import Activity, ActivityRules
from kupyterhub_agent.notebook import NotebookUnreachable
from kupyterhub_tunnel.heads import Headers, RequestHead
from twins.clock import FakeClock

HOUR = timedelta(hours=1)
AN_HOUR = ActivityRules(HOUR)
ALL = ActivityRules(HOUR, kernels=True, terminals=True, tabs=True)
HAND_ALONE = ActivityRules(HOUR, kernels=False, terminals=False)


class Scene:
    """A JupyterLab with one kernel and one terminal, and its activity."""

    def __init__(self, rules: ActivityRules = AN_HOUR) -> None:
        self.now = FakeClock()
        self.start = self.now()
        self.times = dict.fromkeys(("kernels", "terminals", "status"), self.start - 9 * HOUR)
        self.busy = False
        self.statuses: dict[str, int] = {}
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.told: list[datetime] = []
        self.activity = Activity(self, rules, tell=self.told.append, now=self.now)

    async def get_json(self, target: str) -> Any:
        self.asked.append(target)
        what = target.removeprefix("/api/").partition("?")[0]
        if what in self.statuses:
            raise NotebookUnreachable("it answered so", refused=False, status=self.statuses[what])
        if what in self.answers:
            return self.answers[what]
        model = {"last_activity": self.times[what].isoformat().replace("+00:00", "Z")}
        return {
            "kernels": [model | {"execution_state": "busy" if self.busy else "idle"}],
            "terminals": [model],
            "status": model,
        }[what]


def request(method: str, target: str, headers: Headers = (), *, websocket: bool = False) -> RequestHead:
    return RequestHead(method, target, headers, client="", websocket=websocket)


def page(target: str) -> RequestHead:
    return request("GET", target, (("accept", "text/html,application/xhtml+xml"),))


@pytest.mark.parametrize(
    ("timeout", "activity", "rules"),
    [
        pytest.param(None, None, ActivityRules(None), id="nothing said"),
        pytest.param("3600", "kernels, tabs", ActivityRules(HOUR, terminals=False, tabs=True), id="a choice"),
        pytest.param("", "", ActivityRules(None, kernels=False, terminals=False), id="nothing keeps it awake"),
    ],
)
def test_rules_are_read(timeout: str | None, activity: str | None, rules: ActivityRules) -> None:
    assert ActivityRules.parse(timeout, activity) == rules


@pytest.mark.parametrize("timeout", ["0", "-1", "1h", "1.5", "٣"])
def test_a_timeout_that_is_no_number_of_seconds_is_an_error(timeout: str) -> None:
    with pytest.raises(ValueError, match="a number of seconds"):
        ActivityRules.parse(timeout, None)


def test_an_unknown_choice_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'kernel'.*kernels, terminals, tabs"):
        ActivityRules.parse("60", "kernel")


@pytest.mark.parametrize(
    ("timeout", "warning"),
    [(HOUR, timedelta(minutes=10)), (timedelta(minutes=6), timedelta(minutes=3))],
    ids=["ten minutes before", "half of a short timeout"],
)
def test_the_warning_comes_before_the_end(timeout: timedelta, warning: timedelta) -> None:
    scene = Scene(ActivityRules(timeout))
    assert scene.activity.warn_at == scene.start + timeout - warning
    assert scene.activity.idle_at == scene.start + timeout


def test_without_a_timeout_it_is_never_idle() -> None:
    scene = Scene(ActivityRules(None))
    scene.now.move(hours=1000)
    assert (scene.activity.idle_at, scene.activity.warn_at) == (None, None)
    assert not scene.activity.ending


async def test_untouched_it_is_ending_counted_from_when_the_agent_began() -> None:
    scene = Scene()
    scene.now.move(minutes=49)
    assert await scene.activity.look() == scene.start
    assert not scene.activity.ending
    scene.now.move(minutes=1)
    assert scene.activity.ending


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(page("/lab"), id="a page"),
        pytest.param(page("/proxy/8050/"), id="a page of another program"),
        pytest.param(request("PUT", "/api/contents/a.ipynb"), id="saving"),
        pytest.param(request("POST", "/api/sessions"), id="starting a kernel"),
        pytest.param(request("DELETE", "/api/terminals/1"), id="ending a terminal"),
    ],
)
def test_what_a_person_does_is_a_use(head: RequestHead) -> None:
    scene = Scene()
    used = scene.now.move(minutes=30)
    scene.activity.touched(head)
    assert scene.activity.last == used


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(request("GET", "/api/kernels?1", (("Accept", "*/*"),)), id="JupyterLab's polls"),
        pytest.param(request("GET", "/api/contents/a.ipynb?content=0"), id="looking whether a file has changed"),
        pytest.param(request("PUT", "/lab/api/workspaces/default"), id="JupyterLab saving its layout"),
        pytest.param(request("POST", "/git/status"), id="an extension's polls"),
        pytest.param(request("POST", "/.kupyterhub/shim/poll"), id="the shim's polls"),
        pytest.param(request("GET", "/.kupyterhub/keeping/state"), id="asking when it ends"),
        pytest.param(request("GET", "/api/kernels/1/channels", websocket=True), id="a WebSocket that reconnects"),
    ],
)
def test_what_an_open_page_asks_by_itself_is_no_use(head: RequestHead) -> None:
    scene = Scene()
    scene.now.move(minutes=30)
    scene.activity.touched(head)
    assert scene.activity.last == scene.start


async def test_a_busy_kernel_is_used_now_however_silent() -> None:
    scene = Scene()
    scene.busy = True
    now = scene.now.move(minutes=30)
    assert await scene.activity.look() == now


@pytest.mark.parametrize("what", ["kernels", "terminals", "status"])
async def test_what_is_chosen_keeps_it_awake_and_nothing_else_does(what: str) -> None:
    chosen, others = Scene(ALL), Scene(HAND_ALONE)
    for scene in (chosen, others):
        scene.now.move(minutes=30)
        scene.times[what] = scene.start + timedelta(minutes=20)
    assert await chosen.activity.look() == chosen.start + timedelta(minutes=20)
    assert await others.activity.look() == others.start
    assert others.asked == []


async def test_looking_is_not_counted_by_jupyterlab() -> None:
    scene = Scene(ALL)
    await scene.activity.look()
    # /api/status counts itself nowhere.
    assert [target for target in scene.asked if not target.endswith("?no_track_activity=1")] == ["/api/status"]


async def test_a_clock_of_jupyterlabs_that_is_ahead_does_not_put_off_the_end() -> None:
    scene = Scene()
    scene.times["kernels"] = scene.start + 5 * HOUR
    now = scene.now.move(minutes=1)
    assert await scene.activity.look() == now


async def test_an_image_without_terminals_is_no_trouble_and_other_answers_are() -> None:
    scene = Scene()
    scene.statuses = {"terminals": 404}
    assert await scene.activity.look() == scene.start
    scene.statuses = {"terminals": 500}
    with pytest.raises(NotebookUnreachable):
        await scene.activity.look()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        None,
        [None, 1, "x"],
        [{}],
        [{"last_activity": None}],
        [{"last_activity": "yesterday"}],
        [{"last_activity": "9999-12-31T23:59:59-12:00"}],
        [{"last_activity": "2026-01-01T00:00:00"}],
    ],
    ids=repr,
)
async def test_a_jupyterlab_that_answers_anything_else_is_no_trouble(answer: Any) -> None:
    scene = Scene(ALL)
    scene.answers = dict.fromkeys(("kernels", "terminals", "status"), answer)
    now = scene.now.move(minutes=1)
    assert await scene.activity.look() in {scene.start, now}


def test_a_use_that_another_agent_saw_counts_as_if_seen_here_and_is_not_passed_on() -> None:
    scene = Scene()
    scene.now.move(minutes=30)
    scene.activity.heard(scene.start + timedelta(minutes=20))
    scene.activity.heard(scene.start + timedelta(minutes=10))
    assert scene.activity.last == scene.start + timedelta(minutes=20)
    assert scene.told == []


def test_other_agents_are_told_of_a_use_once_a_minute() -> None:
    scene = Scene()
    for _ in range(130):
        scene.now.move(seconds=1)
        scene.activity.used()
    assert scene.told == [scene.start + timedelta(minutes=1), scene.start + timedelta(minutes=2)]
