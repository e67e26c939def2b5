"""What the agent publishes itself: never an older word after a newer one."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from kupyterhub_agent.hosted.announcing import Announcing
from kupyterhub_tunnel.agent_events import AgentEvent, PublishFailed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = AgentEvent("registered", "u", "ada", "pod", "https://first/", NOW)
SECOND = replace(FIRST, proxy_url="https://second/")


class Topic:
    """Pub/Sub's place. It fails so often, and takes a message only when it is open."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked = 0
        self.taken: list[dict[str, str]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def publish(self, fields: dict[str, str]) -> None:
        self.asked += 1
        await self.open.wait()
        if self.failures:
            self.failures -= 1
            raise PublishFailed("not now")
        self.taken.append(fields)

    def urls(self) -> list[str]:
        return [fields["proxyUrl"] for fields in self.taken]


async def publishing(topic: Topic, announcing: Announcing, count: int) -> None:
    task = asyncio.create_task(announcing.run())
    async with asyncio.timeout(10):
        while len(topic.taken) < count:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    task.cancel()
    assert len(topic.taken) == count


async def test_a_failure_is_tried_again() -> None:
    topic = Topic(failures=1)
    announcing = Announcing(topic)
    announcing.put(FIRST)
    await publishing(topic, announcing, 1)


async def test_a_newer_url_takes_the_place_of_one_that_waits() -> None:
    topic = Topic()
    announcing = Announcing(topic)
    announcing.put(FIRST)
    announcing.put(replace(FIRST, type="idle", last_activity=NOW))
    announcing.put(SECOND)
    await publishing(topic, announcing, 1)
    assert topic.urls() == ["https://second/"]


async def test_a_newer_one_waits_for_one_that_is_under_way() -> None:
    topic = Topic()
    topic.open.clear()
    announcing = Announcing(topic)
    announcing.put(FIRST)
    task = asyncio.create_task(publishing(topic, announcing, 2))
    await asyncio.sleep(0.01)
    announcing.put(SECOND)
    await asyncio.sleep(0.01)
    assert topic.asked == 1
    topic.open.set()
    await task
    assert topic.urls() == ["https://first/", "https://second/"]


async def test_kinds_do_not_take_each_others_place() -> None:
    topic = Topic()
    announcing = Announcing(topic)
    announcing.put(FIRST)
    announcing.put(replace(FIRST, type="idle", last_activity=NOW))
    await publishing(topic, announcing, 2)
    assert [fields["type"] for fields in topic.taken] == ["registered", "idle"]


async def test_it_says_when_it_is_sent() -> None:
    topic = Topic()
    announcing = Announcing(topic, lambda: NOW + timedelta(minutes=5))
    announcing.put(FIRST)
    await publishing(topic, announcing, 1)
    assert topic.taken[0]["sentAt"] == "2026-01-01T00:05:00.000000Z"
    assert topic.taken[0]["registeredAt"] == "2026-01-01T00:00:00.000000Z"
