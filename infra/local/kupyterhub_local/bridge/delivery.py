"""Delivers the queue's events to the functions: at least once, oldest first, again after a failure.

A log line names event, function, status and the next attempt; never a body, a header or an answer.
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus

import aiohttp

from kupyterhub_local.bridge.backoff import backoff
from kupyterhub_local.bridge.event import Event
from kupyterhub_local.bridge.event_queue import Entry, EventQueue

# The functions serve this many requests at once (Cloud Run's concurrency, gunicorn's threads).
CONCURRENCY = 8
# Events that failed before share half of it, so that however slowly they fail the others go on.
RETRIES_AT_ONCE = CONCURRENCY // 2
RETENTION = timedelta(hours=24)
# `resync all` may wait for a cluster; longer than this nothing in the functions takes.
ANSWER_WITHIN = timedelta(minutes=5)

log = logging.getLogger(__name__)

Post = Callable[[Event], Awaitable[int]]


def http_post(session: aiohttp.ClientSession, functions: str) -> Post:
    """Give the `Post` that sends an event to `<functions>/<its function>` and gives the answer's status."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_WITHIN.total_seconds())

    async def post(event: Event) -> int:
        url = f"{functions}/{event.function}"
        async with session.post(
            url, data=event.body, headers=event.headers, timeout=timeout, allow_redirects=False
        ) as response:
            await response.read()  # Else the connection could not be used again.
            return response.status

    return post


class Delivery:
    """The loop between queue and functions."""

    def __init__(self, queue: EventQueue, post: Post, wait: Callable[[int], timedelta] | None = None) -> None:
        """Deliver with `post`; `wait` gives the time until the next attempt after so many failures."""
        self._queue = queue
        self._post = post
        self._wait = wait or (lambda attempts: backoff(attempts, random.random()))  # noqa: S311  no secret
        self._under_way: dict[int, Entry] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Say that an event was added."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled, beginning with what an earlier process left."""
        for event_id in self._queue.expire(time.time(), RETENTION):
            log.error("event %s dropped: not delivered within %s", event_id, RETENTION)
        if left := self._queue.hurry(time.time()):
            log.info("%d stored events are delivered", left)
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                now = time.time()
                for entry in self._startable(now):
                    self._under_way[entry.key] = entry
                    tasks.create_task(self._deliver(entry))
                await self._rest(now)

    def _startable(self, now: float) -> list[Entry]:
        busy = self._under_way
        free = CONCURRENCY - len(busy)
        retries_free = RETRIES_AT_ONCE - sum(entry.attempts > 0 for entry in busy.values())
        if free == 0:
            return []
        # What is under way is still in the queue, hence asked for beside what is wanted.
        fresh = [e for e in self._queue.due(now, CONCURRENCY + free, retries=False) if e.key not in busy]
        again = [e for e in self._queue.due(now, CONCURRENCY + free, retries=True) if e.key not in busy]
        return sorted(fresh + again[:retries_free])[:free]

    async def _rest(self, since: float) -> None:
        due = self._queue.next_due(since)
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - time.time())):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _deliver(self, entry: Entry) -> None:
        event = self._queue.event(entry)
        try:
            status = await self._post(event)
        except Exception as e:  # noqa: BLE001  whatever is wrong with one event must not stop the others
            self._failed(entry, event, type(e).__name__)
        else:
            if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                self._queue.remove(entry)
            else:
                self._failed(entry, event, str(status))
        finally:
            del self._under_way[entry.key]
            self.wake()

    def _failed(self, entry: Entry, event: Event, status: str) -> None:
        attempts = entry.attempts + 1
        now = time.time()
        wait = self._wait(attempts)
        if now + wait.total_seconds() >= entry.received + RETENTION.total_seconds():
            self._queue.remove(entry)
            log.error("event %s to %s: %s, dropped after %s", event.id, event.function, status, RETENTION)
            return
        self._queue.postpone(entry, now + wait.total_seconds())
        log.warning(
            "event %s to %s: %s, attempt %d, next in %.1f s",
            event.id,
            event.function,
            status,
            attempts,
            wait.total_seconds(),
        )
