"""The server's own cookies: of one host, for no script, and for no request of another site but a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kupyterhub_tunnel.rules import COOKIE_PREFIX

if TYPE_CHECKING:
    from aiohttp import web


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
