"""Puts the agent's own scripts into the notebook's HTML pages, and passes everything else through; pure.

A page that came gzipped leaves gzipped. Other encodings are not asked for, and pass untouched if they come anyway.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Self

import aiohttp

from kupyterhub_agent.markup import Insertion
from kupyterhub_tunnel.heads import AnswerHead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kupyterhub_tunnel.heads import Headers, RequestHead
    from kupyterhub_tunnel.pieces import Bytes

PIECE_BYTES = 64 * 1024
"""Most bytes that are unpacked at once: a gzipped page may be a thousand times its size."""

_GZIP = zlib.MAX_WBITS | 16
_GZIP_OFFER = re.compile(r"\s*gzip\s*(;\s*q\s*=\s*(?!0(\.0*)?\s*$)\S+\s*)?")
_PAGES = frozenset({"document", "embed", "frame", "iframe", "object"})
# What describes the bytes that the notebook sent; the browser gets others.
_DROPPED = frozenset({"accept-ranges", "content-digest", "content-length", "content-md5", "digest", "etag"})


def acceptable(head: RequestHead) -> Headers:
    """Give the request's headers with the encodings of a page cut down to what is read here."""
    if not _asks_for_page(head):
        return head.headers
    kept = tuple((name, value) for name, value in head.headers if name.lower() != "accept-encoding")
    return (*kept, ("Accept-Encoding", "gzip" if _takes_gzip(head.headers) else "identity"))


class Injection:
    """One page on its way to the browser."""

    def __init__(self, head: AnswerHead, scripts: bytes, *, gzipped: bool) -> None:
        self.head = head
        """The answer's head as the browser is to get it."""
        self._insertion = Insertion(scripts)
        self._unpacking = zlib.decompressobj(_GZIP) if gzipped else None
        self._packing = zlib.compressobj(zlib.Z_BEST_SPEED, wbits=_GZIP)

    @classmethod
    def of(cls, head: RequestHead, answer: AnswerHead, scripts: Sequence[str]) -> Self | None:
        """Give what rewrites this answer, or None if it passes as it is."""
        encoding = _value(answer.headers, "content-encoding") or "identity"
        if not scripts or not _asks_for_page(head) or not _is_page(answer) or encoding not in {"identity", "gzip"}:
            return None
        kept = tuple((name, value) for name, value in answer.headers if name.lower() not in _DROPPED)
        rewritten = AnswerHead(answer.status, answer.reason, kept)
        return cls(rewritten, "".join(scripts).encode(), gzipped=encoding == "gzip")

    def feed(self, chunk: Bytes) -> Bytes:
        """Take in bytes of the notebook's; give those for the browser. Raises ClientPayloadError for no gzip."""
        if self._unpacking is None:
            return self._insertion.feed(chunk)
        packed = [self._packing.compress(self._insertion.feed(piece)) for piece in self._unpacked(chunk)]
        return b"".join(packed) + self._packing.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """Give what is left at the page's end."""
        rest = self._insertion.finish()
        if self._unpacking is None:
            return rest
        return self._packing.compress(rest) + self._packing.flush()

    def _unpacked(self, chunk: Bytes) -> Iterator[bytes]:
        while chunk and self._unpacking is not None:
            if self._unpacking.eof:
                # A gzip file may be several, one after the other.
                self._unpacking = zlib.decompressobj(_GZIP)
            try:
                yield self._unpacking.decompress(chunk, PIECE_BYTES)
            except zlib.error as error:
                raise aiohttp.ClientPayloadError("the page is said to be gzipped and is not") from error
            chunk = self._unpacking.unconsumed_tail or self._unpacking.unused_data


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


def _takes_gzip(headers: Headers) -> bool:
    return any(_GZIP_OFFER.fullmatch(offer) for offer in _value(headers, "accept-encoding").split(","))


def _value(headers: Headers, wanted: str) -> str:
    return ",".join(value for name, value in headers if name.lower() == wanted).strip().lower()
