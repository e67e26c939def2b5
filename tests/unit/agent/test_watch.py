"""What the agent says of its JupyterLab, and when."""

from datetime import UTC, datetime, timedelta

from kupyterhub_agent.notebook import NotebookUnreachable
from kupyterhub_agent.watch import Announcement, Pace, Watch

START = datetime(2026, 1, 1, tzinfo=UTC)
USED = datetime(2025, 12, 31, tzinfo=UTC)


class Scene:
    """A notebook, a clock and a listener."""

    def __init__(self) -> None:
        self.now = START
        self.trouble: NotebookUnreachable | None = None
        self.start = "2026-01-01T00:00:00Z"
        self.said: list[Announcement] = []
        self.uses = 0
        self.idle_at: datetime | None = None
        self.watch = Watch(self, self, self.announce, now=lambda: self.now)

    async def started(self) -> str:
        if self.trouble is not None:
            raise self.trouble
        return self.start

    def used(self) -> None:
        self.uses += 1

    async def look(self) -> datetime:
        return USED

    async def announce(self, announcement: Announcement) -> None:
        self.said.append(announcement)

    async def later(self, **passed: float) -> list[Announcement]:
        self.now += timedelta(**passed)
        self.said.clear()
        await self.watch.look()
        return self.said


REFUSED = NotebookUnreachable("nothing listens", refused=True)
SLOW = NotebookUnreachable("no answer", refused=False)


async def test_nothing_is_said_before_jupyterlab_answers() -> None:
    scene = Scene()
    scene.trouble = REFUSED
    assert await scene.later(seconds=0) == []
    scene.trouble = None
    assert await scene.later(seconds=2) == [Announcement("registered", START + timedelta(seconds=2))]
    assert await scene.later(seconds=5) == []


async def test_idleness_is_reported_every_five_minutes() -> None:
    scene = Scene()
    await scene.later()
    assert await scene.later(minutes=4) == []
    assert await scene.later(minutes=1) == [Announcement("idle", START, USED)]
    assert await scene.later(minutes=4) == []
    assert await scene.later(minutes=1) == [Announcement("idle", START, USED)]


async def test_idleness_that_has_lasted_too_long_is_reported_at_once_and_then_as_ever() -> None:
    scene = Scene()
    scene.idle_at = START + timedelta(minutes=7)
    await scene.later()
    assert await scene.later(minutes=5) == [Announcement("idle", START, USED)]
    assert await scene.later(minutes=1, seconds=58) == []
    assert await scene.later(seconds=2) == [Announcement("idle", START, USED)]
    assert await scene.later(seconds=2) == []
    assert await scene.later(minutes=5) == [Announcement("idle", START, USED)]


async def test_the_registration_is_repeated_hourly_with_its_first_time() -> None:
    scene = Scene()
    await scene.later()
    assert Announcement("registered", START) in await scene.later(hours=1)


async def test_a_refused_connection_is_a_loss_and_the_next_answer_a_new_registration() -> None:
    scene = Scene()
    await scene.later()
    scene.trouble = REFUSED
    assert await scene.later(seconds=5) == [Announcement("lost", START)]
    assert await scene.later(seconds=5) == []
    scene.trouble = None
    assert await scene.later(seconds=5) == [Announcement("registered", START + timedelta(seconds=15))]


async def test_a_restart_between_two_looks_is_a_new_registration() -> None:
    scene = Scene()
    await scene.later()
    scene.start = "2026-01-01T00:00:03Z"
    assert await scene.later(seconds=5) == [Announcement("registered", START + timedelta(seconds=5))]
    assert await scene.later(seconds=5) == []


async def test_a_busy_server_may_miss_two_looks() -> None:
    scene = Scene()
    await scene.later()
    scene.trouble = SLOW
    assert await scene.later(seconds=5) == []
    assert await scene.later(seconds=5) == []
    scene.trouble = None
    assert await scene.later(seconds=5) == []
    scene.trouble = SLOW
    assert await scene.later(seconds=5) == []
    assert await scene.later(seconds=5) == []
    assert await scene.later(seconds=5) == [Announcement("lost", START)]


async def test_each_registration_counts_as_a_use() -> None:
    scene = Scene()
    await scene.later()
    await scene.later(seconds=5)
    assert scene.uses == 1


async def test_who_waits_longer_is_looked_at_less_often() -> None:
    scene = Scene()
    scene.trouble = REFUSED
    pauses = []
    for seconds in (1, 9, 40, 3600):
        await scene.later(seconds=seconds)
        pauses.append(scene.watch.pause())
    assert pauses == [0.2, 1, 5, 5]


async def test_in_a_crowd_each_is_looked_at_less_often() -> None:
    scene = Scene()
    scene.watch = Watch(scene, scene, scene.announce, pace=Pace(crowding=lambda: 25), now=lambda: scene.now)
    await scene.later()
    assert scene.watch.pause() == 25


async def test_what_many_say_of_their_idleness_is_spread_in_time() -> None:
    scene = Scene()
    scene.watch = Watch(scene, scene, scene.announce, pace=Pace(earlier=240), now=lambda: scene.now)
    await scene.later()
    assert await scene.later(seconds=50) == []
    assert await scene.later(seconds=10) == [Announcement("idle", START, USED)]
    assert await scene.later(minutes=4) == []
    assert await scene.later(minutes=1) == [Announcement("idle", START, USED)]
