"""Identity by Google's Identity-Aware Proxy, which stands before the portal and says of each request who asks.

https://cloud.google.com/iap/docs/signed-headers-howto
"""

import logging
from typing import NoReturn

from werkzeug.wrappers import Request, Response

from kupyterhub_portal.entrance import SignOut
from kupyterhub_portal.identities.assertions import Assertions, Refused
from kupyterhub_portal.problem import Problem
from kupyterhub_portal.visitor import Visitor

ASSERTION_HEADER = "X-Goog-IAP-JWT-Assertion"
ISSUER = "https://cloud.google.com/iap"
# https://cloud.google.com/iap/docs/query-parameters-and-headers-howto; IAP answers it, on any path.
_SIGN_OUT = "/?gcp-iap-mode=CLEAR_LOGIN_COOKIE"

log = logging.getLogger("kupyterhub")


class IapEntrance:
    """By the assertion of each request."""

    sign_out = SignOut(_SIGN_OUT, by_link=True)
    sign_in_host = ""

    def __init__(self, assertions: Assertions) -> None:
        self._assertions = assertions

    def answer(self, request: Request) -> Response | None:  # noqa: ARG002 - IAP has pages of its own
        """Nothing."""
        return None

    def ask(self, request: Request) -> NoReturn:  # noqa: ARG002
        """Say why nobody can sign in here; raises Problem."""
        raise Problem(
            401,
            "This request did not come through Identity-Aware Proxy",
            "The portal lets people in by what Identity-Aware Proxy says of them, and this request carries no "
            f"{ASSERTION_HEADER}. Either it went past the load balancer, or Identity-Aware Proxy is off.",
        )

    def is_due(self, request: Request) -> bool:  # noqa: ARG002 - each request has an assertion of its own
        """Never."""
        return False

    def visitor(self, request: Request) -> Visitor | None:
        """Read the assertion; raises Problem."""
        given = request.headers.get(ASSERTION_HEADER)
        if not given:
            return None
        try:
            # Two of them, which WSGI joins by a comma, are no token.
            email, _ = self._assertions.read(given)
        except Refused as error:
            log.warning("refused an assertion: %s", error)
            raise Problem(
                403,
                "Identity-Aware Proxy did not vouch for this request",
                f"Its {ASSERTION_HEADER} was refused: {error}. If this stays so, an administrator should compare "
                "KUPYTERHUB_IAP_AUDIENCE with the backend's signed header audience.",
                (_SIGN_OUT, "Sign in again"),
            ) from error
        return Visitor(email)
