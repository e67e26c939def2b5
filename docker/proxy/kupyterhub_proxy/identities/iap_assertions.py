"""What Identity-Aware Proxy says of a request: a token of a minute or so that google-auth verifies.

https://cloud.google.com/iap/docs/signed-headers-howto: ES256 by a key of Google's list, `iss`, `aud`, `iat` and
`exp` with 30 s of skew, and `email`.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import requests
from google.auth import jwt
from google.auth.exceptions import GoogleAuthError, InvalidValue

from kupyterhub_proxy.names import normalise_email

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kupyterhub_proxy.identities.settings import Iap

_ISSUER = "https://cloud.google.com/iap"
_SKEW_SECONDS = 30
_TIMEOUT_SECONDS = 10
_KEYS_SECONDS = 60 * 60
# A key that is not known may be new; whoever invents keys must not make us ask each time.
_RETRY_SECONDS = 60


class AssertionRefused(Exception):
    """The token does not prove what it should; the text says why and holds nothing secret."""


class KeysUnreachable(Exception):
    """Google's keys cannot be had."""


class IapKeys:
    """Google's public keys: key id to PEM, asked for hourly and when one is missing."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str, str] = {}
        self._asked = -float("inf")
        self._asking = asyncio.Lock()

    async def having(self, key_id: str) -> Mapping[str, str]:
        """Give all keys, with this one among them if there is such a one; raises KeysUnreachable."""
        async with self._asking:
            age = time.monotonic() - self._asked
            if age > _KEYS_SECONDS or (key_id not in self._keys and age > _RETRY_SECONDS):
                try:
                    self._keys = await asyncio.to_thread(self._ask)
                except requests.RequestException as error:
                    if key_id not in self._keys:
                        raise KeysUnreachable(f"{self._url}: {type(error).__name__}") from error
                self._asked = time.monotonic()
        return self._keys

    def _ask(self) -> dict[str, str]:
        answer = requests.get(self._url, timeout=_TIMEOUT_SECONDS)
        answer.raise_for_status()
        return dict(answer.json())


class Assertions:
    """Verifies them for one audience."""

    def __init__(self, iap: Iap) -> None:
        self._audience = iap.audience
        self._keys = IapKeys(iap.keys_url)

    async def email(self, assertion: str) -> str:
        """Return whose request it is, normalised; raises AssertionRefused and KeysUnreachable."""
        try:
            header = jwt.decode_header(assertion)  # type: ignore[no-untyped-call]
            if header.get("alg") != "ES256":
                raise AssertionRefused("it is not signed by ES256")
            keys = await self._keys.having(str(header.get("kid")))
            claims: Mapping[str, Any] = jwt.decode(  # type: ignore[no-untyped-call]
                assertion, certs=keys, audience=self._audience, clock_skew_in_seconds=_SKEW_SECONDS
            )
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
