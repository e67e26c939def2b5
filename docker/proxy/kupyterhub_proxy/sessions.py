"""Signed values: who is signed in on a host, and the code that carries a sign-in from host to host. No I/O.

A session is bound to its host, so what the scripts of one notebook get hold of is worth nothing on another.
A code is good for a minute, for one host, and for the browser that holds the nonce it was made for.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, URLSafeTimedSerializer

from kupyterhub_tunnel.rules import COOKIE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

CODE_SECONDS = 60
SESSION_SECONDS = 24 * 60 * 60
NONCE_SECONDS = 10 * 60


class Sessions:
    """Makes and reads them with one key; replicas of the server share it.

    Cookies are called `__Host-…` where that can be: such a cookie has to be Secure. Over plain http (local
    use) browsers differ in whether they take one from *.localhost; Chromium did not before it counted
    localhost as trustworthy there (net/cookies/cookie_util.cc), and curl does not. So the names are plain.
    """

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._secure = secure
        prefix = f"__Host-{COOKIE_PREFIX}" if secure else COOKIE_PREFIX
        self._session_cookie = f"{prefix}session"
        self._nonce_cookie = f"{prefix}nonce"
        self._sessions = URLSafeTimedSerializer(key, salt="session")
        self._codes = URLSafeTimedSerializer(key, salt="code")

    def email(self, cookies: Mapping[str, str], host: str) -> str | None:
        """Tell who is signed in on this host, from the request's cookies."""
        fields = _load(self._sessions, cookies.get(self._session_cookie, ""), SESSION_SECONDS)
        return fields["email"] if fields.get("host") == host else None

    def begin(self, response: web.StreamResponse, email: str, host: str) -> None:
        """Sign in on this host. The nonce has served."""
        value = self._sessions.dumps({"email": email, "host": host})
        self._set(response, self._session_cookie, value, SESSION_SECONDS)
        self._delete(response, self._nonce_cookie)

    def end(self, response: web.StreamResponse) -> None:
        """Sign out on the host that answers."""
        self._delete(response, self._session_cookie)

    def prove(self, response: web.StreamResponse, cookies: Mapping[str, str]) -> str:
        """Give this browser a nonce, or keep what it has (other tabs), and return what binds a code to it."""
        nonce = cookies.get(self._nonce_cookie) or secrets.token_urlsafe(24)
        self._set(response, self._nonce_cookie, nonce, NONCE_SECONDS)
        return _digest(nonce)

    def code(self, email: str, host: str, proof: str) -> str:
        """Make a code for the host that asked with `proof`."""
        return str(self._codes.dumps({"email": email, "host": host, "proof": proof}))

    def redeem(self, code: str, host: str, cookies: Mapping[str, str]) -> str | None:
        """Give the e-mail of a code, if it is for this host and this browser and not too old."""
        fields = _load(self._codes, code, CODE_SECONDS)
        proof = _digest(cookies.get(self._nonce_cookie, ""))
        if fields.get("host") != host or not secrets.compare_digest(fields["proof"], proof):
            return None
        return str(fields["email"])

    def _set(self, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._secure, httponly=True, samesite="Lax"
        )

    def _delete(self, response: web.StreamResponse, name: str) -> None:
        response.del_cookie(name, path="/", secure=self._secure, httponly=True, samesite="Lax")


def _digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode(errors="surrogateescape")).hexdigest()


def _load(serializer: URLSafeTimedSerializer, value: str, seconds: int) -> dict[str, Any]:
    try:
        fields: dict[str, Any] = serializer.loads(value, max_age=seconds)
    except BadData:
        return {}
    return fields
