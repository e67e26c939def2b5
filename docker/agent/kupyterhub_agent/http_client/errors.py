"""What can go wrong between agent and notebook.

HttpError
├── Unreachable    no connection was made
├── BadRequest     the request is no HTTP and was not sent
└── BrokenOff      the answer ended early, is no HTTP, or is beyond the limits
    └── Stale      a connection that was kept had been closed: nothing was answered
"""

from __future__ import annotations


class HttpError(Exception):
    """Any failure of an exchange. The text holds nothing of what was sent or answered."""


class Unreachable(HttpError):
    """Nothing listens there, or the name does not resolve."""


class BadRequest(HttpError):
    """It cannot be sent."""


class BrokenOff(HttpError):
    """The answer cannot be used, or not to its end."""


class Stale(BrokenOff):
    """The request may be sent again."""
