"""When a person last used their JupyterLab, and when it will have been unused for too long.

Three things are known: what the person does in the pages of their host (the keeping endpoint is told) or asks
of Jupyter's own API (`touched`); what JupyterLab says of kernels and terminals (`look`); and what another agent of
the same person has seen (`heard`). The watch announces the result; the controller decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from kupyterhub_agent.notebook import NotebookUnreachable
from kupyterhub_agent.uses import by_hand, last_activity

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_tunnel.heads import RequestHead

WARNING = timedelta(minutes=10)
"""So long before the end the person is warned; half of a timeout that is shorter than twice that."""
TOLD_EVERY = timedelta(minutes=1)
"""Other agents are told of use no more often."""

_CHOICES = ("kernels", "terminals", "tabs")
_DEFAULT = "kernels,terminals"
_UNTRACKED = "?no_track_activity=1"
"""Keeps our looks out of JupyterLab's own `last_activity` (jupyter_server, APIHandler.update_api_activity)."""
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class ActivityRules:
    """What a profile says: how long unused is too long, and what keeps awake beside the person's own doing."""

    idle_timeout: timedelta | None = None
    """None: never too long."""
    kernels: bool = True
    """A busy kernel, and what kernels last answered."""
    terminals: bool = True
    """What terminals last took or printed; JupyterLab does not say whether a silent program runs in one."""
    tabs: bool = False
    """An open page, used or not."""

    @classmethod
    def parse(cls, idle_timeout: str | None, activity: str | None) -> Self:
        """Read seconds and a comma list of kernels, terminals and tabs; None where nothing is said.

        Raises ValueError with a text that says what is wrong with which and what it should be.
        """
        chosen = [word.strip() for word in (_DEFAULT if activity is None else activity).split(",") if word.strip()]
        for word in chosen:
            if word not in _CHOICES:
                raise ValueError(f"activity has {word!r}; it should be a comma list of {', '.join(_CHOICES)}")
        return cls(_timeout(idle_timeout), **{choice: choice in chosen for choice in _CHOICES})

    @property
    def warning(self) -> timedelta:
        """How long before the end the person is warned."""
        return WARNING if self.idle_timeout is None else min(WARNING, self.idle_timeout / 2)


class Asked(Protocol):
    """JupyterLab's API: notebook.Notebook, or a twin in tests."""

    async def get_json(self, target: str) -> Any:
        """Return what it answers; raises NotebookUnreachable, with `status` if it answered something else."""


class Activity:
    """One person's. It begins with a use, since what was before is not known: a new agent stops nobody early."""

    def __init__(
        self,
        notebook: Asked,
        rules: ActivityRules,
        *,
        tell: Callable[[datetime], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`tell` passes a use on to the other agents of this person, for their `heard`.

        Each agent sees only the requests that it carries. Without that, a person who is active through one would
        be warned, and stopped, by another.
        """
        self._notebook = notebook
        self.rules = rules
        self._tell = tell
        self.now = now
        self._last = now()
        self._told = self._last

    @property
    def last(self) -> datetime:
        """When JupyterLab was last used, as far as is known without a look."""
        return self._last

    @property
    def idle_at(self) -> datetime | None:
        """When it will have been unused for too long; None if it never will.

        As far as is known without a look: who acts on it looks first, and announces what that found at once.
        """
        return None if self.rules.idle_timeout is None else self._last + self.rules.idle_timeout

    @property
    def warn_at(self) -> datetime | None:
        """From when on the person is warned of that."""
        return None if self.idle_at is None else self.idle_at - self.rules.warning

    @property
    def ending(self) -> bool:
        """Whether the person is to be warned, as far as is known without a look."""
        return self.warn_at is not None and self.warn_at <= self.now()

    def used(self) -> None:
        """The person did something just now, or JupyterLab has just begun to answer."""
        self._last = self.now()
        if self._last - self._told >= TOLD_EVERY:
            self._told = self._last
            self._tell(self._last)

    def heard(self, at: datetime) -> None:
        """Take note of a use that another has seen: another agent of this person, or JupyterLab."""
        self._last = max(self._last, min(at, self.now()))

    def touched(self, head: RequestHead) -> None:
        """Count a request that was let through, if it is of the person's doing."""
        if by_hand(head):
            self.used()

    async def look(self) -> datetime:
        """Ask JupyterLab too, and return when it was last used; raises NotebookUnreachable."""
        models: list[Any] = []
        if self.rules.kernels:
            models += await self._list("/api/kernels")
        if self.rules.terminals:
            models += await self._list("/api/terminals")
        if self.rules.tabs:
            models.append(await self._notebook.get_json("/api/status"))
        for model in models:
            self.heard(last_activity(model, self.now()))
        return self._last

    async def _list(self, path: str) -> list[Any]:
        try:
            answer = await self._notebook.get_json(f"{path}{_UNTRACKED}")
        except NotebookUnreachable as error:
            if error.status != _NOT_FOUND:
                raise
            return []  # an image without it
        return answer if isinstance(answer, list) else []


def _timeout(text: str | None) -> timedelta | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError(f"the idle timeout is {text!r}; it should be a number of seconds, or absent for never")
    return timedelta(seconds=int(text))
