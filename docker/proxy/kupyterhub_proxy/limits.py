"""What one user's requests may take of the server. Beyond it they are answered 431, 429, 503 or 504."""

from __future__ import annotations

from dataclasses import dataclass, field

from kupyterhub_tunnel.memory import requests_at_once

HEADER_FIELD_BYTES = 32 * 1024
"""Most bytes of a request's first line and of one header. Browsers send all cookies of a host in one header."""

HEADER_BYTES = 64 * 1024
"""Most bytes of all headers of a request."""

HEAD_SECONDS = 20.0
"""So long the head of a request may take to arrive: from its first byte, or from the opening of a connection."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of what is carried; others in tests."""

    requests: int = 128
    """At once for one user, WebSockets included: each open notebook and terminal holds one."""
    together: int = field(default_factory=requests_at_once)
    """At once for all users."""
    first_byte_seconds: float = 300.0
    """How long a notebook may think about a request that has arrived whole, or stop taking in one that has not.

    A kernel starts within a minute and saving takes seconds, but extensions clone repositories and export notebooks
    within one request. Once an answer has begun, or a WebSocket is open, it may last as long as it likes.
    """
