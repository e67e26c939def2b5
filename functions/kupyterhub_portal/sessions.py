"""Who is signed in at the portal itself, in a signed cookie; nothing is stored.

Signing out takes the cookie away; a copy of it that somebody made before is good until its time is over.
"""

import secrets

from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Request, Response

from kupyterhub_portal.cookies import Cookie
from kupyterhub_portal.visitor import Visitor

SESSION_SECONDS = 24 * 60 * 60


class Sessions:
    """Makes and reads them. `secure`: the portal is https."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._signed = URLSafeTimedSerializer(key, salt="portal session")
        self._cookie = Cookie("session", secure)

    def visitor(self, request: Request) -> Visitor | None:
        """Say who is signed in."""
        try:
            email, sign_in = self._signed.loads(self._cookie.read(request), max_age=SESSION_SECONDS)
        except BadData:
            return None
        return Visitor(email, sign_in)

    def begin(self, response: Response, email: str) -> None:
        """Sign in."""
        self._cookie.set(response, self._signed.dumps([email, secrets.token_urlsafe(12)]), SESSION_SECONDS)

    def end(self, response: Response) -> None:
        """Sign out."""
        self._cookie.set(response, "", 0)
