"""Heads of requests and answers as they travel in OPEN and HEAD frames: compact JSON; pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from kupyterhub_tunnel.errors import ProtocolError

Headers = tuple[tuple[str, str], ...]
"""In their order, repeated ones included. Bytes that are no UTF-8 are lone surrogates, as aiohttp gives
them."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request without its body."""

    method: str
    target: str
    """Path and query exactly as on the wire: never decoded and encoded again."""
    headers: Headers
    client: str
    """Address of the browser, for X-Forwarded-For."""
    websocket: bool = False
    has_body: bool = False
    name: str = ""
    """For whom it is: the label of the host that was asked."""

    def encode(self) -> bytes:
        """Give the payload of an OPEN frame."""
        return _encode(asdict(self))

    @classmethod
    def decode(cls, payload: bytes) -> RequestHead:
        """Read the payload of an OPEN frame; raises ProtocolError."""
        try:
            fields = json.loads(payload)
            return cls(**{**fields, "headers": _headers(fields["headers"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ProtocolError("an OPEN frame holds no request") from error


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """An answer without its body; status 101 accepts a WebSocket."""

    status: int
    reason: str
    headers: Headers
    subprotocol: str | None = None

    def encode(self) -> bytes:
        """Give the payload of a HEAD frame."""
        return _encode(asdict(self))

    @classmethod
    def decode(cls, payload: bytes) -> AnswerHead:
        """Read the payload of a HEAD frame; raises ProtocolError."""
        try:
            fields = json.loads(payload)
            return cls(**{**fields, "headers": _headers(fields["headers"])})
        except (ValueError, TypeError, KeyError) as error:
            raise ProtocolError("a HEAD frame holds no answer") from error


def _headers(pairs: list[list[str]]) -> Headers:
    return tuple((str(name), str(value)) for name, value in pairs)


def _encode(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()
