"""Identity by Google's Identity-Aware Proxy, which stands before the portal and says of each request who asks.

https://cloud.google.com/iap/docs/signed-headers-howto: a token by ES256 and a key of Google's list, with `iss`,
`aud`, `iat` and `exp`, 30 s of skew, and `email`.
"""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import requests
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError, InvalidValue
from werkzeug.wrappers import Request, Response

from kupyterhub.domain.names import normalise_email
from kupyterhub_portal.entrance import SignOut
from kupyterhub_portal.problem import Problem
from kupyterhub_portal.visitor import Visitor

ASSERTION_HEADER = "X-Goog-IAP-JWT-Assertion"
# https://cloud.google.com/iap/docs/query-parameters-and-headers-howto; IAP answers it, on any path.
_SIGN_OUT = "/?gcp-iap-mode=CLEAR_LOGIN_COOKIE"
_ISSUER = "https://cloud.google.com/iap"
_SKEW_SECONDS = 30
# Google changes keys every few days and publishes the next one long before. One that is not known may be new, or
# somebody's invention: that does not make us ask more often than this.
_FRESH_SECONDS = 3600.0
_ASK_SECONDS = 30.0
_TIMEOUT_SECONDS = 10

log = logging.getLogger("kupyterhub")


class _Refused(Exception):
    """The token does not prove what it should; the text says why and holds nothing secret."""


class IapEntrance:
    """By the assertion of each request."""

    sign_out = SignOut(_SIGN_OUT, by_link=True)

    def __init__(self, audience: str, keys_url: str) -> None:
        self._audience = audience
        self._keys = _Keys(keys_url)

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

    def visitor(self, request: Request) -> Visitor | None:
        """Read the assertion; raises Problem."""
        given = request.headers.get(ASSERTION_HEADER)
        if not given:
            return None
        try:
            # Two of them, which WSGI joins by a comma, are no token.
            return Visitor(self._email(given))
        except _Refused as error:
            log.warning("refused an assertion: %s", error)
            raise Problem(
                403,
                "Identity-Aware Proxy did not vouch for this request",
                f"Its {ASSERTION_HEADER} was refused: {error}. If this stays so, an administrator should compare "
                "KUPYTERHUB_IAP_AUDIENCE with the backend's signed header audience.",
                (_SIGN_OUT, "Sign in again"),
            ) from error
        except requests.RequestException as error:
            log.error("no keys to verify assertions with: %s", type(error).__name__)  # noqa: TRY400 - says it all
            raise Problem(
                503,
                "It cannot be verified who you are",
                "The public keys of Identity-Aware Proxy cannot be reached now. Try again in a minute.",
            ) from error

    def _email(self, assertion: str) -> str:
        try:
            header = jwt.decode_header(assertion)  # type: ignore[no-untyped-call]
            if header.get("alg") != "ES256":
                raise _Refused("it is not signed by ES256")
            keys = self._keys.of(str(header.get("kid")))
            claims: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]
                assertion, certs=keys, audience=self._audience, clock_skew_in_seconds=_SKEW_SECONDS
            )
        except requests.RequestException:
            raise
        except InvalidValue as error:  # the audience or the time; the texts of the others hold the token
            raise _Refused(str(error)) from error
        except (GoogleAuthError, ValueError, TypeError) as error:
            raise _Refused("it is no token, or its signature is not by a key of Google's list") from error
        if claims.get("iss") != _ISSUER:
            raise _Refused("it is not made by Identity-Aware Proxy")
        email = normalise_email(str(claims.get("email", "")))
        if email is None:
            raise _Refused("it names no e-mail address")
        return email


class _Keys:
    """Those behind a URL: fetched when first needed, when old, and for one that is not known."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._asked_at = 0.0

    def of(self, key_id: str) -> Mapping[str, str]:
        """Give them all, with that of `key_id` if it exists; raises requests.RequestException."""
        with self._lock:
            known = key_id in self._known
            age = time.monotonic() - self._asked_at
            if not self._known or age > (_FRESH_SECONDS if known else _ASK_SECONDS):
                self._asked_at = time.monotonic()
                try:
                    answer = requests.get(self._url, timeout=_TIMEOUT_SECONDS)
                    answer.raise_for_status()
                    self._known = dict(answer.json())
                except requests.RequestException:
                    if not known:
                        raise
                    log.warning("%s cannot be had now; the keys of before are used", self._url)
            return self._known
