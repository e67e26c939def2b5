"""Signed values: who is signed in on a host, and the code that carries a sign-in from host to host. No I/O.

A session is bound to its host, so what the scripts of one notebook get hold of is worth nothing on another.
A code is good for a minute, for one host, and for the browser that holds the nonce it was made for.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from itsdangerous import BadData, URLSafeSerializer

from kupyterhub_proxy.passing import Passing
from kupyterhub_proxy.visitor import SESSION, Visitor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from kupyterhub_proxy.cookies import Cookies
    from kupyterhub_proxy.sign_outs import SignOuts

CODE_SECONDS = 60
LONGEST = timedelta(days=7)
"""So long a sign-in lasts that is used; then somebody proves again who they are."""
NONCE_SECONDS = 10 * 60
FAREWELL_SECONDS = 20 * 60
"""Longer than a session of the portal, which has its word from when that began."""
_KEPT = 4096


class Sessions:
    """Makes and reads them with one key; replicas of the server share it.

    A cookie that is deleted may have been copied: `sign_outs` says which sign-ins have ended before their time.
    """

    def __init__(self, key: bytes, cookies: Cookies, sign_outs: SignOuts) -> None:
        self._cookies = cookies
        self._sign_outs = sign_outs
        self._session_cookie = cookies.name("session")
        self._nonce_cookie = cookies.name("nonce")
        self._sessions = URLSafeSerializer(key, salt="session")
        # Browsers send the same with each request, so a signature is checked once; what is refused is not kept.
        self._read = lru_cache(maxsize=_KEPT)(self._sessions.loads)
        self._codes = Passing(key, "code", CODE_SECONDS)
        self._farewells = Passing(key, "farewell", FAREWELL_SECONDS)

    def visitor(self, cookies: Mapping[str, str], host: str) -> Visitor | None:
        """Tell who is signed in on this host, from the request's cookies."""
        try:
            fields = self._read(cookies.get(self._session_cookie, ""))
        except BadData:
            return None
        if fields["host"] != host:
            return None
        visitor = Visitor.read(fields)
        return visitor if self.lasts(visitor) else None

    def lasts(self, visitor: Visitor) -> bool:
        """Whether a sign-in still counts."""
        return datetime.now(UTC) < visitor.until and not self._sign_outs.has(visitor)

    def begin(self, response: web.StreamResponse, email: str, host: str) -> Visitor:
        """Sign in on this host."""
        now = datetime.now(UTC)
        visitor = Visitor(email, now + SESSION, now, secrets.token_urlsafe(12))
        self.enter(response, visitor, host)
        return visitor

    def enter(self, response: web.StreamResponse, visitor: Visitor, host: str) -> None:
        """Let a sign-in count on this host. The nonce has served."""
        self._give(response, visitor, host)
        self._cookies.delete(response, self._nonce_cookie)

    def renew(self, response: web.StreamResponse, visitor: Visitor, host: str) -> None:
        """Let a sign-in that is used on this host last longer there, once half of its time is over."""
        now = datetime.now(UTC)
        until = min(now + SESSION, visitor.began + LONGEST)
        if visitor.until - now < SESSION / 2 and until > visitor.until:
            self._give(response, replace(visitor, until=until), host)

    def _give(self, response: web.StreamResponse, visitor: Visitor, host: str) -> None:
        seconds = int((visitor.until - datetime.now(UTC)).total_seconds())
        session = self._sessions.dumps({**visitor.fields(), "host": host})
        self._cookies.set(response, self._session_cookie, session, seconds)

    def end(self, response: web.StreamResponse, visitor: Visitor | None) -> None:
        """Sign out: the host that answers forgets it, and this sign-in counts nowhere any more."""
        self._cookies.delete(response, self._session_cookie)
        if visitor is not None:
            # A copy may be renewed elsewhere until all have heard of it, and lasts no longer than this.
            self._sign_outs.end(replace(visitor, until=visitor.began + LONGEST))

    def farewell(self, visitor: Visitor) -> str:
        """Make the word by which a user's host, or the portal, tells the sign-in host of a sign-out."""
        return self._farewells.dumps(visitor.sign_in)

    def parting(self, word: str) -> str | None:
        """Give the sign-in that such a word ends; None for what was not made here, or too long ago."""
        sign_in: str | None = self._farewells.loads(word)
        return sign_in

    def prove(self, response: web.StreamResponse, cookies: Mapping[str, str]) -> str:
        """Give this browser a nonce, or keep what it has (other tabs), and return what binds a code to it."""
        nonce = cookies.get(self._nonce_cookie) or secrets.token_urlsafe(24)
        self._cookies.set(response, self._nonce_cookie, nonce, NONCE_SECONDS)
        return _digest(nonce)

    def code(self, visitor: Visitor, host: str, proof: str) -> str:
        """Make a code for the host that asked with `proof`."""
        return self._codes.dumps({**visitor.fields(), "host": host, "proof": proof})

    def redeem(self, code: str, host: str, cookies: Mapping[str, str]) -> Visitor | None:
        """Give whose a code is, if it is for this host and this browser and not too old."""
        fields = self._codes.loads(code)
        nonce = cookies.get(self._nonce_cookie)
        # Of no nonce anybody knows the digest.
        if fields is None or fields["host"] != host or not nonce:
            return None
        if not secrets.compare_digest(fields["proof"], _digest(nonce)):
            return None
        visitor = Visitor.read(fields)
        return visitor if self.lasts(visitor) else None


def _digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode(errors="surrogateescape")).hexdigest()
