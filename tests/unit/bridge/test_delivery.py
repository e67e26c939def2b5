import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from kupyterhub_local.bridge.delivery import CONCURRENCY, RETENTION, Delivery
from kupyterhub_local.bridge.event import Event
from kupyterhub_local.bridge.event_queue import EventQueue

SECRET = b"someone@example.com"


def event(name: str) -> Event:
    return Event(function="on_x", headers={"ce-id": name}, body=SECRET)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[EventQueue]:
    with EventQueue(tmp_path / "queue.sqlite") as queue:
        yield queue


class Functions:
    """Answers each event from its list of answers, an exception being raised, and with 200 after that."""

    def __init__(self, answers: dict[str, list[int | Exception]] | None = None) -> None:
        self.answers = answers or {}
        self.calls: list[str] = []
        self.at_once = self.most_at_once = 0
        self.hang: set[str] = set()

    async def post(self, event: Event) -> int:
        self.calls.append(event.id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(3600 if event.id in self.hang else 0.001)
        finally:
            self.at_once -= 1
        left = self.answers.get(event.id)
        answer = left.pop(0) if left else 200
        if isinstance(answer, Exception):
            raise answer
        return answer


async def run(queue: EventQueue, functions: Functions, until: Callable[[], bool]) -> None:
    delivery = Delivery(queue, functions.post, wait=lambda _: timedelta(milliseconds=5))
    task = asyncio.create_task(delivery.run())
    try:
        async with asyncio.timeout(5):
            while not until():  # noqa: ASYNC110  the queue tells nobody
                await asyncio.sleep(0.002)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_stored_events_are_delivered_oldest_first(queue: EventQueue) -> None:
    names = [f"{n:02}" for n in range(30)]
    for name in names:
        queue.add(event(name), time.time())
    functions = Functions()

    await run(queue, functions, lambda: len(queue) == 0)

    assert functions.calls == names
    assert functions.most_at_once == CONCURRENCY


async def test_an_event_is_kept_until_the_function_answers_with_success(queue: EventQueue) -> None:
    queue.add(event("a"), time.time())
    functions = Functions({"a": [500, ConnectionRefusedError(), TimeoutError(), 404, 302, 599]})

    await run(queue, functions, lambda: len(queue) == 0)

    assert functions.calls == ["a"] * 7


async def test_an_event_added_while_it_waits_is_delivered_at_once(queue: EventQueue) -> None:
    delivered = asyncio.Event()

    async def post(_: Event) -> int:
        delivered.set()
        return 200

    delivery = Delivery(queue, post)
    task = asyncio.create_task(delivery.run())
    await asyncio.sleep(0.01)
    queue.add(event("a"), time.time())
    delivery.wake()

    await asyncio.wait_for(delivered.wait(), 0.5)

    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_events_that_fail_by_hanging_do_not_hold_up_new_ones(queue: EventQueue) -> None:
    hanging = {f"hanging {n}" for n in range(2 * CONCURRENCY)}
    for name in hanging:
        queue.add(event(name), time.time())
    for entry in queue.due(time.time(), 99, retries=False):
        queue.postpone(entry, due=0.0)
    functions = Functions()
    functions.hang = hanging
    for n in range(20):
        queue.add(event(f"new {n}"), time.time())

    await run(queue, functions, lambda: len(queue) == len(hanging))

    assert sum(name.startswith("new") for name in functions.calls) == 20


async def test_an_event_that_was_cut_off_is_still_there(queue: EventQueue) -> None:
    queue.add(event("a"), time.time())
    functions = Functions()
    functions.hang = {"a"}

    await run(queue, functions, lambda: functions.calls == ["a"])

    assert len(queue) == 1


async def test_an_old_event_is_dropped_with_a_line_in_the_log(
    queue: EventQueue, caplog: pytest.LogCaptureFixture
) -> None:
    a_day = RETENTION.total_seconds()
    queue.add(event("too old"), time.time() - a_day - 1)
    queue.add(event("last try"), time.time() - a_day + 0.5)
    functions = Functions({"last try": [500] * 1000})

    await run(queue, functions, lambda: len(queue) == 0)

    dropped = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert [message.split(" to ")[0] for message in dropped] == [
        "event too old dropped: not delivered within 1 day, 0:00:00",
        "event last try",
    ]


async def test_the_log_of_a_failure_says_what_and_when_and_no_content(
    queue: EventQueue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.add(event("a"), time.time())

    await run(queue, Functions({"a": [503]}), lambda: len(queue) == 0)

    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert line == "event a to on_x: 503, attempt 1, next in 0.0 s"
    assert SECRET.decode() not in caplog.text
