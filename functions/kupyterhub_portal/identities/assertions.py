"""What another says of who somebody is: a signed token, believed if it is of that issuer and for this portal.

It is all that the portal knows of identity, and there is no secret in it: the issuer shows what verifies it.
"""

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt

from kupyterhub_portal.problem import Problem
from kupyterhub_rules.names import normalise_email

_SKEW_SECONDS = 30
# So long a key counts that is taken out. Of an unknown one PyJWT asks at once, but not each time: it may be invented.
_FRESH_SECONDS = 15 * 60
_TIMEOUT_SECONDS = 10

log = logging.getLogger("kupyterhub")


class Refused(Exception):
    """The token does not prove what it should; the text says why and holds nothing secret."""


class Assertions:
    """Verifies those of one issuer for one audience, by the JWK Set behind `keys_url`."""

    def __init__(self, issuer: str, audience: str, keys_url: str) -> None:
        self._issuer = issuer
        self._audience = audience
        self._keys = _client(keys_url)

    def read(self, assertion: str) -> tuple[str, Mapping[str, Any]]:
        """Return whose it is, normalised, and all that it says; raises Refused, and Problem where keys are away."""
        try:
            key = self._keys.get_signing_key_from_jwt(assertion)
            claims: Mapping[str, Any] = jwt.decode(
                assertion,
                key,
                # The key's own, whatever the token says.
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_SKEW_SECONDS,
                options={"require": ["aud", "exp", "iat", "iss"]},
            )
        except (jwt.PyJWKClientConnectionError, ValueError) as error:  # the latter for what is no JSON
            log.error("no keys to verify assertions with: %s", error)  # noqa: TRY400 - the text says it all
            raise Problem(
                503,
                "It cannot be verified who you are",
                f"The public keys of {self._issuer} cannot be reached now. Try again in a minute.",
            ) from error
        except jwt.PyJWTError as error:
            raise Refused(type(error).__name__) from error
        email = normalise_email(str(claims.get("email", "")))
        if email is None:
            raise Refused("it names no e-mail address")
        return email, claims


def _client(url: str) -> jwt.PyJWKClient:
    parts, headers = urlsplit(url), {}
    host = parts.hostname or ""
    if host.endswith(".localhost"):
        # Browsers know that this is their own machine (RFC 6761, 6.3); other programs often do not.
        url, headers = url.replace(host, "127.0.0.1", 1), {"Host": parts.netloc}
    return jwt.PyJWKClient(url, headers=headers, lifespan=_FRESH_SECONDS, timeout=_TIMEOUT_SECONDS)
