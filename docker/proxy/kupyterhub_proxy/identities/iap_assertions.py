"""What Identity-Aware Proxy says of a request: a token of a minute or so that google-auth verifies.

https://cloud.google.com/iap/docs/signed-headers-howto: ES256 by a key of Google's list, `iss`, `aud`, `iat` and
`exp` with 30 s of skew, and `email`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError, InvalidValue

from kupyterhub_rules.names import normalise_email

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kupyterhub_proxy.certificates import Certificates

_ISSUER = "https://cloud.google.com/iap"
_SKEW_SECONDS = 30


class AssertionRefused(Exception):
    """The token does not prove what it should; the text says why and holds nothing secret."""


class KeysUnreachable(Exception):
    """Google's keys cannot be had."""


class Assertions:
    """Verifies them for one audience."""

    def __init__(self, audience: str, keys: Certificates) -> None:
        self._audience = audience
        self._keys = keys

    async def email(self, assertion: str) -> str:
        """Return whose request it is, normalised; raises AssertionRefused and KeysUnreachable."""
        try:
            header = jwt.decode_header(assertion)  # type: ignore[no-untyped-call]
            if header.get("alg") != "ES256":
                raise AssertionRefused("it is not signed by ES256")
            keys = await self._keys.of(str(header.get("kid")))
            claims: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]
                assertion, certs=keys, audience=self._audience, clock_skew_in_seconds=_SKEW_SECONDS
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KeysUnreachable(type(error).__name__) from error
        except InvalidValue as error:  # the audience or the time; the texts of the others hold the token
            raise AssertionRefused(str(error)) from error
        except (GoogleAuthError, ValueError, TypeError) as error:
            raise AssertionRefused("it is no token, or its signature is not by a key of Google's list") from error
        if claims.get("iss") != _ISSUER:
            raise AssertionRefused("it is not made by Identity-Aware Proxy")
        email = normalise_email(str(claims.get("email", "")))
        if email is None:
            raise AssertionRefused("it names no e-mail address")
        return email
