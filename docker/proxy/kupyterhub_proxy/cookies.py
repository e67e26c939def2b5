"""The server's own cookies: of one host, for no script, and for no request of another site but a link."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

from kupyterhub_tunnel.rules import COOKIE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

_KEPT = 1024
_KEPT_BYTES = 4096
"""Of a Cookie header; longer ones are read each time."""


def read(request: web.BaseRequest) -> Mapping[str, str]:
    """Give a request's cookies: `;` alone parts them, and of several with one name there is none.

    That a page of another host could not have set one that is called `__Host-…` is true of these names alone, to the
    letter: a reader that parts or trims at other white space finds such a name within a cookie of any other.
    """
    header = ";".join(request.headers.getall("Cookie", ()))
    # Browsers send the same ones with each request.
    return _known(header) if len(header) <= _KEPT_BYTES else _read(header)


def _read(header: str) -> Mapping[str, str]:
    pairs = [part.strip(" \t").partition("=") for part in header.split(";")]
    counts = Counter(name for name, _, _ in pairs)
    return {name: value for name, equals, value in pairs if equals and counts[name] == 1}


_known = lru_cache(maxsize=_KEPT)(_read)


class Cookies:
    """Sets and deletes them.

    They are called `__Host-…` where that can be: such a cookie has to be Secure. Over plain http (local
    use) browsers differ in whether they take one from *.localhost; Chromium did not before it counted
    localhost as trustworthy there (net/cookies/cookie_util.cc), and curl does not. So the names are plain.
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure

    def name(self, word: str) -> str:
        """Give the whole name of the cookie that is called so."""
        return f"{'__Host-' if self._secure else ''}{COOKIE_PREFIX}{word}"

    def set(self, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
        """Set a cookie, by its whole name."""
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="Lax"
        )

    def delete(self, response: web.StreamResponse, name: str) -> None:
        """Delete a cookie, by its whole name."""
        response.del_cookie(name, path="/", secure=self._secure, httponly=True, samesite="Lax")
