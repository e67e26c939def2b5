"""An OpenID provider: its discovery document, its sign-in page's URL, and what a code of it proves.

OpenID Connect Core 1.0 (the code flow, section 3.1), Discovery 1.0, RP-Initiated Logout 1.0. Authlib does the
OAuth 2.0 part and judges the claims; it uses a blocking client, so all that asks the provider runs beside the
loop: people sign in once a day.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

if TYPE_CHECKING:
    from kupyterhub_proxy.identities.attempts import Attempt
    from kupyterhub_proxy.identities.settings import Oidc

_SCOPE = "openid email"
_TIMEOUT_SECONDS = 10
_LEEWAY_SECONDS = 60
# A provider changes its keys now and then, and announces the new ones before it uses them.
_DISCOVERY_SECONDS = 600
# Signatures that only the provider can make: `none` and those by our own secret (HS…) are not among them.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as one; the text says what is wrong, for the log."""


class ProviderRefused(Exception):
    """The provider, or we, do not accept the sign-in; the text says why, for the log."""


class Provider:
    """The provider of the settings. Each call may raise ProviderUnreachable."""

    def __init__(self, oidc: Oidc, redirect_uri: str) -> None:
        self._oidc = oidc
        self._redirect_uri = redirect_uri
        self._known: dict[str, Any] = {}
        self._known_until = 0.0

    async def sign_in_url(self, attempt: Attempt, *, choose: bool) -> str:
        """Give where the browser goes to sign in.

        `choose`: have the provider ask as whom. Where one signs out at the provider it asks by itself, and not
        every provider knows that prompt.
        """
        metadata = await asyncio.to_thread(self._metadata)
        more = {"prompt": "select_account"} if choose and not metadata.get("end_session_endpoint") else {}
        url, _ = self._client(metadata).create_authorization_url(
            metadata["authorization_endpoint"],
            state=attempt.state,
            code_verifier=attempt.verifier,
            nonce=attempt.nonce,
            **more,
        )
        return str(url)

    async def sign_out_url(self, return_to: str) -> str | None:
        """Give where the browser goes to sign out at the provider too; None where it offers none."""
        endpoint = (await asyncio.to_thread(self._metadata)).get("end_session_endpoint")
        query = urlencode({"client_id": self._oidc.client_id, "post_logout_redirect_uri": return_to})
        return f"{endpoint}{'&' if '?' in str(endpoint) else '?'}{query}" if endpoint else None

    async def claims(self, attempt: Attempt, code: str) -> dict[str, Any]:
        """Exchange a code for what the provider says of the person's e-mail; raises ProviderRefused.

        The e-mail and whether it is verified are of one document, the ID token or the userinfo.
        """
        return await asyncio.to_thread(self._claims, attempt, code)

    def _claims(self, attempt: Attempt, code: str) -> dict[str, Any]:
        metadata = self._metadata()
        try:
            with self._client(metadata) as client:
                return self._exchanged(metadata, client, attempt, code)
        except requests.RequestException as error:
            raise ProviderUnreachable(f"{self._oidc.issuer}: {type(error).__name__}") from error
        except AuthlibBaseError as error:
            raise ProviderRefused(f"it did not take the code ({error.error})") from error
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise ProviderRefused(f"its ID token is not valid ({type(error).__name__}: {error})") from error

    def _exchanged(
        self, metadata: dict[str, Any], client: OAuth2Session, attempt: Attempt, code: str
    ) -> dict[str, Any]:
        token = client.fetch_token(
            metadata["token_endpoint"], code=code, code_verifier=attempt.verifier, grant_type="authorization_code"
        )
        claims = self._judged(metadata, token, attempt.nonce)
        if "email" in claims or "userinfo_endpoint" not in metadata:
            return claims
        # Many providers put the e-mail there alone (OpenID Connect Core 1.0, 5.4).
        said = _json(client.get(metadata["userinfo_endpoint"]))
        if said.get("sub") != claims["sub"]:
            raise ProviderRefused("its userinfo is of another person than its ID token")
        return said

    def _judged(self, metadata: dict[str, Any], token: dict[str, Any], nonce: str) -> dict[str, Any]:
        signed = jwt.decode(token["id_token"], self._keys(metadata), algorithms=_ALGORITHMS)
        claims = CodeIDToken(
            signed.claims,
            signed.header,
            {
                "iss": {"essential": True, "value": self._oidc.issuer},
                "aud": {"essential": True, "value": self._oidc.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            {"client_id": self._oidc.client_id, "nonce": nonce, "access_token": token.get("access_token")},
        )
        claims.validate(leeway=_LEEWAY_SECONDS)
        return dict(claims)

    def _keys(self, metadata: dict[str, Any]) -> KeySet:
        found: Any = _json(requests.get(metadata["jwks_uri"], timeout=_TIMEOUT_SECONDS))
        return KeySet.import_key_set(found)

    def _client(self, metadata: dict[str, Any]) -> OAuth2Session:
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = "client_secret_basic" in methods
        return OAuth2Session(
            self._oidc.client_id,
            self._oidc.client_secret,
            token_endpoint_auth_method="client_secret_basic" if basic else "client_secret_post",
            scope=_SCOPE,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT_SECONDS,
        )

    def _metadata(self) -> dict[str, Any]:
        if time.monotonic() < self._known_until:
            return self._known
        url = f"{self._oidc.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = _json(requests.get(url, timeout=_TIMEOUT_SECONDS))
        except requests.RequestException as error:
            raise ProviderUnreachable(f"{url}: {type(error).__name__}") from error
        if found.get("issuer") != self._oidc.issuer:
            raise ProviderUnreachable(f"{url} is of the issuer {found.get('issuer')!r}, not {self._oidc.issuer!r}")
        missing = {"authorization_endpoint", "token_endpoint", "jwks_uri"} - found.keys()
        if missing:
            raise ProviderUnreachable(f"{url} lacks {', '.join(sorted(missing))}")
        self._known, self._known_until = found, time.monotonic() + _DISCOVERY_SECONDS
        return found


def _json(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    fields = answer.json()
    if not isinstance(fields, dict):
        raise requests.exceptions.InvalidJSONError("not an object")
    return fields
