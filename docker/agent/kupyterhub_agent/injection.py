"""Puts the agent's own scripts into the notebook's HTML pages, and passes everything else through; pure.

Pages are asked for without an encoding, and one that comes in one anyway passes untouched: a page may unpack to a
thousand times its size, and all who share the agent would wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from kupyterhub_agent.markup import Insertion
from kupyterhub_tunnel.heads import AnswerHead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kupyterhub_tunnel.heads import Headers, RequestHead

_PAGES = frozenset({"document", "embed", "frame", "iframe", "object"})
# What describes the bytes that the notebook sent; the browser gets others.
_DROPPED = frozenset({"accept-ranges", "content-digest", "content-length", "content-md5", "digest", "etag"})


def acceptable(head: RequestHead) -> Headers:
    """Give the request's headers, of a page without the encodings that the browser takes."""
    if not _asks_for_page(head):
        return head.headers
    kept = tuple((name, value) for name, value in head.headers if name.lower() != "accept-encoding")
    return (*kept, ("Accept-Encoding", "identity"))


class Injection:
    """One page on its way to the browser."""

    def __init__(self, head: AnswerHead, scripts: bytes) -> None:
        self.head = head
        """The answer's head as the browser is to get it."""
        self._insertion = Insertion(scripts)
        self.feed = self._insertion.feed
        self.finish = self._insertion.finish

    @classmethod
    def of(cls, head: RequestHead, answer: AnswerHead, scripts: Sequence[str]) -> Self | None:
        """Give what rewrites this answer, or None if it passes as it is."""
        encoding = _value(answer.headers, "content-encoding") or "identity"
        if not scripts or not _asks_for_page(head) or not _is_page(answer) or encoding != "identity":
            return None
        kept = tuple((name, value) for name, value in answer.headers if name.lower() not in _DROPPED)
        rewritten = AnswerHead(answer.status, answer.reason, kept)
        return cls(rewritten, "".join(scripts).encode())


def _asks_for_page(head: RequestHead) -> bool:
    """Say whether a document was asked for: HTML that a script fetches is data."""
    if head.method != "GET" or _value(head.headers, "range"):
        return False
    destination = _value(head.headers, "sec-fetch-dest")  # sent to https only
    return destination in _PAGES if destination else "text/html" in _value(head.headers, "accept")


def _is_page(answer: AnswerHead) -> bool:
    kind, _, parameters = _value(answer.headers, "content-type").partition(";")
    saved = _value(answer.headers, "content-disposition").startswith("attachment")
    # Where `<` is one byte: all that browsers read but UTF-16.
    return answer.status == 200 and kind.strip() == "text/html" and "utf-16" not in parameters and not saved  # noqa: PLR2004


def _value(headers: Headers, wanted: str) -> str:
    return ",".join(value for name, value in headers if name.lower() == wanted).strip().lower()
