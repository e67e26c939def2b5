"""What can go wrong on a tunnel.

TunnelError
├── ProtocolError     the peer broke the framing or its credit; the connection is closed
├── ConnectionLost    the WebSocket under all streams has ended
├── TooManyStreams    this connection already carries as many streams as it may
└── StreamReset       the peer gave up this one stream; `reason` says why
"""

from __future__ import annotations


class TunnelError(Exception):
    """Any failure of the tunnel itself, not of what is carried through it."""


class ProtocolError(TunnelError):
    """The peer sent what it must not."""


class ConnectionLost(TunnelError):
    """The connection ended while a stream was open."""


class TooManyStreams(TunnelError):
    """No further stream may be opened now."""


class StreamReset(TunnelError):
    """The peer gave up this stream."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the stream was reset: {reason}")
        self.reason = reason
