"""Forms that only a page of ours can have sent: by exact origin, and by a token of this person's.

It is of the person and not of a sign-in: a form that comes again after they signed in anew is still theirs.

The origin alone would do in today's browsers; the token is there for what a proxy on the way makes of headers.
"""

import secrets

from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Request

from kupyterhub_portal.problem import Problem
from kupyterhub_portal.visitor import Visitor

FIELD = "token"
_SECONDS = 24 * 60 * 60


class Forms:
    """Makes tokens, and judges what was posted."""

    def __init__(self, key: bytes, origin: str) -> None:
        self._signed = URLSafeTimedSerializer(key, salt="portal form")
        self._origin = origin

    def token(self, visitor: Visitor) -> str:
        """Give what a form of this visitor carries."""
        return self._signed.dumps(visitor.email)

    def require_origin(self, request: Request) -> None:
        """Raise Problem for what a page of another origin sent; browsers name it with each POST."""
        if request.headers.get("Origin") != self._origin:
            raise Problem(
                403,
                "This was not sent by the portal",
                "Another page tried to do something in your name, and nothing was done. If you did it here, open "
                f"the portal at {self._origin} and try again.",
            )

    def require(self, request: Request, visitor: Visitor) -> None:
        """Raise Problem for a form that is not one of this visitor's own pages."""
        self.require_origin(request)
        try:
            email = str(self._signed.loads(request.form.get(FIELD, ""), max_age=_SECONDS))
        except BadData:
            email = ""
        if not secrets.compare_digest(email, visitor.email):
            raise Problem(
                403,
                "This page was too old",
                "It was opened more than a day ago, or by somebody else. Nothing was done: open it again.",
            )
