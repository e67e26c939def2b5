"""Watches JupyterLab and says what became of it: registered, idle, lost."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from kupyterhub_agent.notebook import NotebookUnreachable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the agent has to say about its JupyterLab."""

    type: Literal["registered", "idle", "lost"]
    registered_at: datetime
    """When JupyterLab began to answer; minted anew each time it does after not having answered."""
    last_activity: datetime | None = None


class Watched(Protocol):
    """What is watched: notebook.Notebook, or a twin in tests."""

    async def started(self) -> str | None:
        """Return what it says of its start, if it answers; raises NotebookUnreachable."""


class Used(Protocol):
    """What knows of its use: activity.Activity, or a twin in tests."""

    @property
    def idle_at(self) -> datetime | None:
        """When it will have been unused for too long, as far as is known without a look."""

    def used(self) -> None:
        """Take note that it has just begun to answer."""

    async def look(self) -> datetime:
        """Return when it was last used; raises NotebookUnreachable."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look and to speak; in seconds."""

    starting: float = 0.2
    """Between looks while it does not answer: the user waits. A tenth of the wait so far, once that is more."""
    answering: float = 2
    longest: float = 5
    """Between looks, however long it does not answer."""
    idle: float = 5 * 60
    earlier: float = 0
    """So much sooner the first `idle` is said, where those of many are to be spread in time."""
    repeat: float = 60 * 60
    patience: int = 3
    """Looks in a row without an answer that mean it is lost: a busy server may miss one."""
    crowding: Callable[[], float] = lambda: 0
    """The shortest pause that is due, where many are watched."""


NORMAL = Pace()


class Watch:
    """Looks at one JupyterLab for ever."""

    def __init__(
        self,
        notebook: Watched,
        activity: Used,
        announce: Callable[[Announcement], Awaitable[None]],
        *,
        pace: Pace = NORMAL,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._notebook = notebook
        self._activity = activity
        self._announce = announce
        self._pace = pace
        self._now = now
        self._registered: Announcement | None = None
        self._started: str | None = None
        self._waits_since = now()
        self._missed = 0
        self._said: dict[str, datetime] = {}
        self.looked = asyncio.Event()
        """Set once it is known whether JupyterLab answers."""

    @property
    def answering(self) -> bool:
        """Whether JupyterLab answers, as far as is known."""
        return self._registered is not None

    async def run(self) -> None:
        """Look, speak, wait, and so on until cancelled."""
        while True:
            await self.look()
            self.looked.set()
            # Uneven, so that those who came together are not looked at together for ever.
            await asyncio.sleep(self.pause() * random.uniform(0.8, 1.2))  # noqa: S311 - no secret

    def pause(self) -> float:
        """Seconds until the next look."""
        if self.answering:
            return max(self._pace.answering, self._pace.crowding())
        waited = (self._now() - self._waits_since).total_seconds()
        return max(self._pace.starting, min(waited / 10, max(self._pace.longest, self._pace.crowding())))

    async def look(self) -> None:
        """Look once and announce what is due."""
        try:
            started = await self._notebook.started()
            if self._registered is None or started != self._started:
                # Another start is proof enough that it did not answer meanwhile, however short that was.
                self._started = started
                self._registered = Announcement("registered", self._now())
                self._said["idle"] = self._now() - timedelta(seconds=self._pace.earlier)
                self._activity.used()
                await self._say(self._registered)
            elif self._due("registered", self._pace.repeat):
                await self._say(self._registered)
            if self._due("idle", self._pace.idle) or self._has_become_idle():
                await self._say(replace(self._registered, type="idle", last_activity=await self._activity.look()))
            self._missed = 0
        except NotebookUnreachable as error:
            await self._missing(error)

    async def _missing(self, error: NotebookUnreachable) -> None:
        if self._registered is None:
            return
        self._missed = self._pace.patience if error.refused else self._missed + 1
        if self._missed >= self._pace.patience:
            log.warning("JupyterLab is lost: %s", error)
            await self._say(replace(self._registered, type="lost"))
            self._registered = None
            self._waits_since = self._now()
            self._missed = 0

    async def _say(self, announcement: Announcement) -> None:
        self._said[announcement.type] = self._now()
        await self._announce(announcement)

    def _due(self, kind: str, seconds: float) -> bool:
        return (self._now() - self._said[kind]).total_seconds() >= seconds

    def _has_become_idle(self) -> bool:
        # Said at once, and from then on as often as ever: nobody waits for minutes at a countdown that has ended.
        idle_at = self._activity.idle_at
        return idle_at is not None and self._said["idle"] < idle_at <= self._now()
