"""Where in a page the agent's scripts go: first in its head, before every script of its own; pure.

What may come before a head is skipped as a browser does it (HTML, 13.2.6.4, "initial" to "before head").
A page without <head> gets them where its implied head begins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kupyterhub_tunnel.pieces import Bytes

LONGEST_PREAMBLE = 64 * 1024
"""So many bytes are looked at; a page whose head begins later gets no scripts."""

_SKIPPED = re.compile(
    rb"""
    (?: \xef\xbb\xbf                                        # a byte order mark
      | [\t\n\f\r\ ]+
      | <!--.*?-->
      | <!(?!--)[^>]*> | <\?[^>]*>                          # a doctype, and what is read as a comment
      | <html(?=[\t\n\f\r\ />])(?:[^>"']|"[^"]*"|'[^']*')*>
    )*+
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_HEAD = re.compile(rb"""<head(?=[\t\n\f\r />])(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
# At the end of what is there, and more of it may follow.
_UNFINISHED = re.compile(rb"(?:\Z|\xef|<\Z|<!|<\?|<h\Z|<ht|<he\Z|<hea\Z|<head(?:\Z|[\t\n\f\r />]))", re.IGNORECASE)


class Insertion:
    """Puts `scripts` into one page, which is fed to it in pieces."""

    def __init__(self, scripts: bytes) -> None:
        self._scripts = scripts
        self._held = bytearray()
        self._look_at = 0
        self._done = False

    def feed(self, piece: Bytes) -> Bytes:
        """Take in bytes of the page; give those that are decided."""
        if self._done:
            return piece
        self._held += piece
        if len(self._held) < self._look_at:
            return b""
        place = _place(self._held)
        if place is None and len(self._held) <= LONGEST_PREAMBLE:
            # In pieces of one byte, each look would be at all of them again.
            self._look_at = 2 * len(self._held)
            return b""
        return self._decide(place)

    def finish(self) -> bytes:
        """Give what was held back, if the page ended before its place was found."""
        return b"" if self._done else self._decide(_place(self._held))

    def _decide(self, place: int | None) -> bytes:
        held, self._held, self._done = bytes(self._held), bytearray(), True
        return held if place is None else held[:place] + self._scripts + held[place:]


def _place(page: Bytes) -> int | None:
    """Give where the scripts go, or None while that cannot be told."""
    skipped = _SKIPPED.match(page)
    start = skipped.end() if skipped else 0
    if head := _HEAD.match(page, start):
        return head.end()
    return None if _UNFINISHED.match(page, start) else start
