"""What people have open: judged again and again, since a WebSocket asks only once.

Who may no longer pass (an administrator no more, a session that ended) loses what they have open within
`JUDGED_SECONDS`. There is one timer for all: a task for each request would cost each request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aiohttp import web

    from kupyterhub_proxy.visitor import Visitor

JUDGED_SECONDS = 20.0
"""Two of it are within the minute that the design allows."""

_SOON_SECONDS = 0.1

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Held:
    request: web.BaseRequest
    visitor: Visitor
    name: str


class OpenRequests:
    """The requests that are being answered. `may_pass` says whether a visitor still may be on a host."""

    def __init__(self, may_pass: Callable[[Visitor, str], bool], seconds: float) -> None:
        self._may_pass = may_pass
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._soon: asyncio.TimerHandle | None = None
        self._open: set[_Held] = set()

    @contextlib.contextmanager
    def holding(self, request: web.BaseRequest, visitor: Visitor, name: str) -> Iterator[None]:
        """Hold a request of this visitor to the host of this name, meanwhile."""
        held = _Held(request, visitor, name)
        self._open.add(held)
        if self._timer is None:
            self._arm()
        try:
            yield
        finally:
            self._open.remove(held)

    def judge_soon(self) -> None:
        """Judge within a moment, once for all that changes meanwhile."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(_SOON_SECONDS, self._judge_now)

    def judge(self) -> None:
        """Break off what may no longer pass; a proper end would make half a download look whole."""
        verdicts: dict[tuple[Visitor, str], bool] = {}
        for held in list(self._open):
            whose = (held.visitor, held.name)
            if whose not in verdicts:
                verdicts[whose] = self._may_pass(*whose)
            if not verdicts[whose] and held.request.transport is not None:
                log.info("%s may no longer pass to %s: broke off a request", held.visitor.email, held.name)
                held.request.transport.abort()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._judge_and_arm)

    def _judge_now(self) -> None:
        self._soon = None
        self.judge()

    def _judge_and_arm(self) -> None:
        self._timer = None
        if self._open:
            self._arm()
            self.judge()
