"""What is a use of JupyterLab, and what only looks like one; pure.

Only what a person does counts, or makes run: an open page asks for kernels, sessions and terminals every few seconds
by itself, and extensions poll by GET and POST alike. So JupyterLab's own `last_activity`, which counts every one of
those requests, is used only where an open tab is to keep a notebook awake.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kupyterhub_tunnel.rules import SAFE_METHODS

if TYPE_CHECKING:
    from kupyterhub_tunnel.heads import RequestHead

_NEVER = datetime.min.replace(tzinfo=UTC)


def last_activity(model: Any, now: datetime) -> datetime:
    """When a kernel, a terminal or the server was last used.

    A person's JupyterLab may answer anything: what cannot be read counts as never, and stops no agent of others.
    """
    match model:
        case {"execution_state": "busy"}:
            return now  # a cell that computes in silence moves no time
        case {"last_activity": str(text)}:
            with contextlib.suppress(ValueError):
                time = datetime.fromisoformat(text)
                return time if time.tzinfo else time.replace(tzinfo=UTC)
    return _NEVER


def by_hand(head: RequestHead) -> bool:
    """Whether it opens a page, or changes something through Jupyter's own API, which nothing does by itself.

    Another method than GET is no sign elsewhere: an untouched JupyterLab 4.6 saves its layout by PUT below /lab/api/
    every ten seconds, and jupyterlab-git asks by POST below /git/. A WebSocket's messages are none either (many
    programs keep theirs alive with them), and need be none: JupyterLab counts those of kernels and terminals, and the
    keeping script tells of keys and clicks in every page.
    """
    if head.websocket:
        return False
    if head.method not in SAFE_METHODS:
        return head.target.startswith("/api/")
    return head.method == "GET" and any(
        name.lower() == "accept" and value.startswith("text/html") for name, value in head.headers
    )
