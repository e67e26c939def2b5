"""What is believed of an agent's answer: its words, if they are HTTP's, and never where it ends; pure.

The next answer on a browser's connection, or on a load balancer's, may be another person's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from kupyterhub_tunnel import rules

if TYPE_CHECKING:
    from kupyterhub_tunnel.heads import AnswerHead, Headers

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TEXT = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_LENGTH = re.compile(r"[0-9]{1,15}")
_WITHOUT_BODY = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class NotHttp(Exception):
    """What an agent gives as an answer is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, as it may be written."""

    status: int
    reason: str | None
    headers: Headers
    """Without a length."""
    length: int | None
    """Bytes of the body, where the agent says how many."""

    def has_body(self, method: str) -> bool:
        """Whether a body follows, as an answer to a request of this method."""
        return method != "HEAD" and self.status not in _WITHOUT_BODY


def believed(head: AnswerHead, first: int = HTTPStatus.OK, last: int = 599) -> Answer:
    """Give an answer whose status is from `first` to `last`; raises NotHttp."""
    if not first <= head.status <= last:
        raise NotHttp(f"its status is {head.status}")
    if not _TEXT.fullmatch(head.reason) or not all(
        _NAME.fullmatch(name) and _TEXT.fullmatch(value) for name, value in head.headers
    ):
        raise NotHttp("its head holds what no head may")
    lengths = rules.values(head.headers, "content-length")
    if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise NotHttp("its length is none")
    return Answer(
        head.status,
        head.reason or None,
        tuple(pair for pair in rules.answer_headers(head.headers) if rules.key(pair[0]) != "content-length"),
        int(lengths[0]) if lengths else None,
    )
