"""What the page and the endpoint say to each other, as google/inverting-proxy's shim of version 1 does; pure.

A text is a JSON string, bytes are a list of one string of base64.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import WSCloseCode

_LOWEST_OWN_CODE, _HIGHEST_OWN_CODE = 3000, 4999
_MOST_REASON_BYTES = 123


class BadMessage(Exception):
    """The page sent something else than its script does."""


class Message(NamedTuple):
    """One message of a WebSocket."""

    binary: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Closing:
    """How a WebSocket was closed."""

    code: int = WSCloseCode.OK
    reason: str = ""


def encoded(message: Message) -> str | list[str]:
    """Give a message as it goes to the page. Text that is no UTF-8 is shown as such text is."""
    if message.binary:
        return [base64.b64encode(message.data).decode()]
    return message.data.decode(errors="replace")


def session_id(body: bytes) -> str:
    """Read which session a request is about; raises BadMessage."""
    match _json(body):
        case {"id": str(known)}:
            return known
    raise BadMessage("the request should be an object with an id")


def session_messages(body: bytes) -> list[tuple[str, Message]]:
    """Read messages of the page's, each with its session; raises BadMessage."""
    listed = _json(body)
    if not isinstance(listed, list):
        raise BadMessage("the request should be a list of messages")
    return [_addressed(entry) for entry in listed]


def closing(body: bytes) -> Closing:
    """Read how the page closes; raises BadMessage. Google's script gives no code."""
    match _json(body):
        case {"code": int(code), "reason": str(reason)} if _may_close(code, reason):
            return Closing(code, reason)
        case {"code": _} | {"reason": _}:
            raise BadMessage("a page closes with 1000 or 3000 to 4999, and a reason of at most 123 bytes")
    return Closing()


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise BadMessage("the request is no JSON") from error


def _addressed(entry: Any) -> tuple[str, Message]:
    match entry:
        case {"id": str(known), "msg": str(text)}:
            # A lone surrogate is no text: as browsers do it, the replacement character goes instead.
            return known, Message(
                binary=False, data=text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
            )
        case {"id": str(known), "msg": [str(text)]}:
            try:
                return known, Message(binary=True, data=base64.b64decode(text, validate=True))
            except ValueError as error:
                raise BadMessage("bytes should be base64") from error
    raise BadMessage("a message should have an id, and as msg a text or a list of one text")


def _may_close(code: int, reason: str) -> bool:
    own = code == WSCloseCode.OK or _LOWEST_OWN_CODE <= code <= _HIGHEST_OWN_CODE
    return own and len(reason.encode(errors="replace")) <= _MOST_REASON_BYTES
