"""Watches JupyterLab and says what became of it: registered, idle, lost."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from kupyterhub_agent.notebook import NotebookUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the agent has to say about its JupyterLab."""

    type: Literal["registered", "idle", "lost"]
    registered_at: datetime
    """When JupyterLab began to answer; minted anew each time it does after not having answered."""
    last_activity: datetime | None = None


class Announcer(Protocol):
    """Who passes announcements on: the link to a proxy."""

    async def announce(self, announcement: Announcement) -> None:
        """Pass one on now, or when the proxy is reached again."""


class Watched(Protocol):
    """What is watched: notebook.Notebook, or a twin in tests."""

    async def started(self) -> str | None:
        """Return what it says of its start, if it answers; raises NotebookUnreachable."""

    async def last_activity(self) -> datetime:
        """When it was last used; raises NotebookUnreachable."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look and to speak, in seconds."""

    starting: float = 0.2
    """Between looks while it does not answer: the user waits."""
    answering: float = 2
    idle: float = 5 * 60
    repeat: float = 60 * 60
    patience: int = 3
    """Looks in a row without an answer that mean it is lost: a busy server may miss one."""


class Watch:
    """Looks at JupyterLab for ever."""

    def __init__(
        self,
        notebook: Watched,
        announcer: Announcer,
        *,
        pace: Pace = Pace(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._notebook = notebook
        self._announcer = announcer
        self._pace = pace
        self._now = now
        self._registered: Announcement | None = None
        self._started: str | None = None
        self._missed = 0
        self._said: dict[str, datetime] = {}

    async def run(self) -> None:
        """Look, speak, wait, and so on until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._pace.answering if self._registered else self._pace.starting)

    async def look(self) -> None:
        """Look once and announce what is due."""
        try:
            started = await self._notebook.started()
            if self._registered is None or started != self._started:
                # Another start is proof enough that it did not answer meanwhile, however short that was.
                self._started = started
                self._registered = Announcement("registered", self._now())
                self._said["idle"] = self._now()
                await self._say(self._registered)
            elif self._due("registered", self._pace.repeat):
                await self._say(self._registered)
            if self._due("idle", self._pace.idle):
                await self._say(
                    replace(self._registered, type="idle", last_activity=await self._notebook.last_activity())
                )
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
            self._missed = 0

    async def _say(self, announcement: Announcement) -> None:
        self._said[announcement.type] = self._now()
        await self._announcer.announce(announcement)

    def _due(self, kind: str, seconds: float) -> bool:
        return (self._now() - self._said[kind]).total_seconds() >= seconds
