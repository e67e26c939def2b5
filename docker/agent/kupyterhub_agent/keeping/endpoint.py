"""What the agent answers below `/.kupyterhub/keeping/`: the script of the warning, and what it asks and says.

Nothing of it reaches JupyterLab, and asking for the state is no use of it, so an open page keeps nothing awake.
"""

from __future__ import annotations

import contextlib
import functools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kupyterhub_agent.exchange import answer_text
from kupyterhub_agent.notebook import NotebookUnreachable
from kupyterhub_tunnel.heads import AnswerHead

if TYPE_CHECKING:
    from kupyterhub_agent.activity import Activity
    from kupyterhub_agent.exchange import Exchange

PREFIX = "/.kupyterhub/keeping/"
SCRIPT = f'<script src="{PREFIX}script.js" defer></script>'
"""What HTML pages of the host get after <head>."""

_FILES = {
    "script.js": ("script.js", "text/javascript; charset=utf-8"),
    "style.css": ("style.css", "text/css; charset=utf-8"),
    "back": ("back.html", "text/html; charset=utf-8"),
}
"""By the names that the script has for them: files, and what they are."""


class Keeping:
    """An endpoint of the forwarder, for one person."""

    prefix = PREFIX

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    async def serve(self, exchange: Exchange) -> None:
        """Answer a request that the rules have let pass; a POST comes from a page of this host."""
        head = exchange.head
        what = head.target.removeprefix(PREFIX).partition("?")[0]
        match head.method, what:
            case "GET", _ if what in _FILES:
                file, kind = _FILES[what]
                await _answer(exchange, kind, _content(file))
            case "GET", "state":
                if self._activity.rules.tabs:
                    self._activity.used()
                await self._state(exchange)
            case "POST", "keep":
                self._activity.used()
                await self._state(exchange)
            case _:
                await answer_text(exchange, 404, "Not Found", f"{PREFIX} has no {head.method} {what}")

    async def _state(self, exchange: Exchange) -> None:
        if self._activity.ending:
            # A kernel may have become busy since the last look: nobody is warned for nothing.
            with contextlib.suppress(NotebookUnreachable):
                await self._activity.look()
        state = {
            "now": _rfc3339(self._activity.now()),
            "warnAt": _rfc3339(self._activity.warn_at),
            "idleAt": _rfc3339(self._activity.idle_at),
        }
        await _answer(exchange, "application/json", json.dumps(state).encode())


async def _answer(exchange: Exchange, content_type: str, body: bytes) -> None:
    headers = (
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    )
    await exchange.send_head(AnswerHead(200, "OK", headers))
    await exchange.write(body)
    await exchange.end()


@functools.cache
def _content(name: str) -> bytes:
    return Path(__file__).with_name(name).read_bytes()


def _rfc3339(time: datetime | None) -> str | None:
    # Browsers need to read no more than milliseconds (ECMAScript, Date Time String Format).
    return None if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
