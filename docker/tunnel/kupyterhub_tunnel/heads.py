"""Heads of requests and answers as they travel in OPEN and HEAD frames; pure.

A head is lines of text: its fields, then name and value of each header in turns. No field of HTTP holds a line feed,
and this costs a quarter of what JSON does.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.frames import MAX_PAYLOAD_BYTES

Headers = tuple[tuple[str, str], ...]
"""In their order, repeated ones included. Bytes that are no UTF-8 are lone surrogates, as aiohttp gives
them."""

MAX_HEAD_BYTES = MAX_PAYLOAD_BYTES
"""Most bytes of a head: browsers send some kilobytes of cookies and URL, notebooks less."""

_REQUEST_FIELDS = 5
_ANSWER_FIELDS = 3
_FIRST_FINAL = 200


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
    user: str = ""
    """Who asks: the e-mail that the server has proven. Google's agents are told it, our own need not know."""

    @property
    def is_followed(self) -> bool:
        """Whether bytes follow: a body, or a WebSocket's messages."""
        return self.has_body or self.websocket

    def encode(self) -> bytes:
        """Give the payload of an OPEN frame; raises ProtocolError if it is too large or no HTTP."""
        flags = ("w" if self.websocket else "") + ("b" if self.has_body else "")
        return _encode((self.method, self.target, self.client, flags, self.name), self.headers)

    @classmethod
    def decode(cls, payload: bytes) -> RequestHead:
        """Read the payload of an OPEN frame; raises ProtocolError."""
        lines = _decode(payload, _REQUEST_FIELDS)
        method, target, client, flags, name = lines[:_REQUEST_FIELDS]
        headers = _headers(lines, _REQUEST_FIELDS)
        return cls(method, target, headers, client, "w" in flags, "b" in flags, name)


@dataclass(frozen=True, slots=True)
class AnswerHead:
    """An answer without its body; status 101 accepts a WebSocket."""

    status: int
    reason: str
    headers: Headers
    subprotocol: str | None = None

    @property
    def interim(self) -> bool:
        """Whether another one follows."""
        return self.status < _FIRST_FINAL and self.status != HTTPStatus.SWITCHING_PROTOCOLS

    def encode(self) -> bytes:
        """Give the payload of a HEAD frame; raises ProtocolError if it is too large or no HTTP."""
        return _encode((str(self.status), self.reason, self.subprotocol or ""), self.headers)

    @classmethod
    def decode(cls, payload: bytes) -> AnswerHead:
        """Read the payload of a HEAD frame; raises ProtocolError."""
        lines = _decode(payload, _ANSWER_FIELDS)
        status, reason, subprotocol = lines[:_ANSWER_FIELDS]
        if not status.isdecimal():
            raise ProtocolError("the head of an answer begins with its status")
        return cls(int(status), reason, _headers(lines, _ANSWER_FIELDS), subprotocol or None)


def _encode(fields: tuple[str, ...], headers: Headers) -> bytes:
    lines = [*fields]
    for pair in headers:
        lines += pair
    text = "\n".join(lines)
    if text.count("\n") != len(lines) - 1:
        raise ProtocolError("a line feed in a head: it is no HTTP")
    payload = text.encode("utf-8", "surrogateescape")
    if len(payload) > MAX_HEAD_BYTES:
        raise ProtocolError(f"a head of {len(payload)} bytes; at most {MAX_HEAD_BYTES} are carried")
    return payload


def _decode(payload: bytes, fields: int) -> list[str]:
    lines = payload.decode("utf-8", "surrogateescape").split("\n")
    if len(lines) < fields or (len(lines) - fields) % 2:
        raise ProtocolError(f"a head of {len(lines)} lines lacks some")
    return lines


def _headers(lines: list[str], first: int) -> Headers:
    return tuple(zip(lines[first::2], lines[first + 1 :: 2], strict=True))
