"""Puts the agent's own scripts into the notebook's HTML pages, and passes everything else through."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Self

from kupyterhub_tunnel.heads import AnswerHead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kupyterhub_tunnel.heads import Headers, RequestHead

_HEAD_TAG = re.compile(rb"<head[^>]*>", re.IGNORECASE)
_DROPPED = frozenset({"content-length", "etag", "content-encoding", "content-md5", "accept-ranges"})


def acceptable(head: RequestHead) -> Headers:
    """Give the request's headers with the encodings of a page cut down to what is read here."""
    if head.method != "GET" or "text/html" not in _value(head.headers, "accept"):
        return head.headers
    kept = tuple((name, value) for name, value in head.headers if name.lower() != "accept-encoding")
    return (*kept, ("Accept-Encoding", "gzip"))


class Injection:
    """One page on its way to the browser."""

    def __init__(self, head: AnswerHead, scripts: bytes, *, gzipped: bool) -> None:
        self.head = head
        self._scripts = scripts
        self._plain = zlib.decompressobj(wbits=31) if gzipped else None
        self._held = b""
        self._done = False

    @classmethod
    def of(cls, head: RequestHead, answer: AnswerHead, scripts: Sequence[str]) -> Self | None:
        """Give what rewrites this answer, or None if it passes as it is."""
        encoding = _value(answer.headers, "content-encoding") or "identity"
        if not scripts or head.method != "GET" or answer.status != 200 or encoding not in {"identity", "gzip"}:  # noqa: PLR2004
            return None
        if not _value(answer.headers, "content-type").startswith("text/html"):
            return None
        kept = tuple((name, value) for name, value in answer.headers if name.lower() not in _DROPPED)
        rewritten = AnswerHead(answer.status, answer.reason, kept)
        return cls(rewritten, "".join(scripts).encode(), gzipped=encoding == "gzip")

    def feed(self, chunk: bytes) -> bytes:
        """Take in bytes of the notebook's; give those for the browser."""
        plain = self._plain.decompress(chunk) if self._plain else chunk
        if self._done:
            return plain
        self._held += plain
        found = _HEAD_TAG.search(self._held)
        if found is None:
            return b""
        self._done = True
        held, self._held = self._held, b""
        return held[: found.end()] + self._scripts + held[found.end() :]

    def finish(self) -> bytes:
        """Give what is left at the page's end."""
        return self._held


def _value(headers: Headers, wanted: str) -> str:
    return next((value.lower() for name, value in headers if name.lower() == wanted), "")
