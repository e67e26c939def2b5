"""Who is signed in at the portal itself, in a signed cookie; nothing is stored.

It is short, and another one follows only if the sign-in host still knows this sign-in: who has signed out, wherever
that was, is out here when it ends, and so is a copy of the cookie that somebody made before.
"""

import hashlib
import secrets

from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Request, Response

from kupyterhub_portal.cookies import Cookie
from kupyterhub_portal.visitor import Visitor

SESSION_SECONDS = 13 * 60
"""With the minute of an assertion, and what clocks may differ, a sign-out counts within a quarter of an hour."""
_DUE_SECONDS = 5 * 60
"""After so long a page that is opened has another one made: its forms have the rest of the time."""
_NONCE_SECONDS = 10 * 60


class Sessions:
    """Makes and reads them. `secure`: the portal is https."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._signed = URLSafeTimedSerializer(key, salt="portal session")
        self._session = Cookie("session", secure)
        self._nonce = Cookie("nonce", secure)

    def visitor(self, request: Request, seconds: int = SESSION_SECONDS) -> Visitor | None:
        """Say who is signed in, by a session that is no older."""
        try:
            return Visitor(*self._signed.loads(self._session.read(request), max_age=seconds))
        except BadData:
            return None

    def is_due(self, request: Request) -> bool:
        """Whether somebody who is signed in should have another session made."""
        return self.visitor(request, _DUE_SECONDS) is None

    def begin(self, response: Response, visitor: Visitor) -> None:
        """Sign in. The nonce has served."""
        fields = [visitor.email, visitor.sign_in, visitor.farewell]
        self._session.set(response, self._signed.dumps(fields), SESSION_SECONDS)
        self._nonce.set(response, "", 0)

    def end(self, response: Response) -> None:
        """Sign out."""
        self._session.set(response, "", 0)

    def prove(self, request: Request, response: Response) -> str:
        """Give this browser a nonce, or keep what it has (other tabs), and return what binds an assertion to it."""
        nonce = self._nonce.read(request) or secrets.token_urlsafe(24)
        self._nonce.set(response, nonce, _NONCE_SECONDS)
        return _digest(nonce)

    def remembers(self, request: Request) -> bool:
        """Whether this browser has kept anything of ours."""
        return bool(self._nonce.read(request)) or self.visitor(request) is not None

    def has_asked(self, request: Request, proof: str) -> bool:
        """Whether this browser holds the nonce that `proof` is of; one without any holds none."""
        nonce = self._nonce.read(request)
        return bool(nonce) and secrets.compare_digest(_digest(nonce).encode(), proof.encode(errors="replace"))


def _digest(nonce: str) -> str:
    return hashlib.sha256(nonce.encode(errors="surrogateescape")).hexdigest()
