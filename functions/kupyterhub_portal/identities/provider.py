"""An OpenID provider: its sign-in page's URL, and what a code of it proves.

OpenID Connect Core 1.0 (the code flow, section 3.1) and Discovery 1.0. Authlib does the OAuth 2.0 part and judges
the claims.
"""

import logging
import time
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from kupyterhub_portal.problem import Problem
from kupyterhub_portal.settings import Oidc

_TIMEOUT_SECONDS = 10
_LEEWAY_SECONDS = 60
# A provider changes its keys now and then, and announces the new ones before it uses them.
_DISCOVERY_SECONDS = 600
# Signatures that only the provider can make: `none` and those by our own secret (HS…) are not among them.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]

log = logging.getLogger("kupyterhub")


class Provider:
    """The provider of the settings. Each method may raise Problem."""

    def __init__(self, oidc: Oidc, redirect_uri: str) -> None:
        self._oidc = oidc
        self._redirect_uri = redirect_uri
        self._known: dict[str, Any] = {}
        self._known_until = 0.0

    def sign_in_url(self, attempt: dict[str, str]) -> str:
        """Give where the browser goes to sign in."""
        try:
            metadata = self._metadata()
        except (requests.RequestException, ValueError) as error:
            raise self._unreachable(error) from error
        url, _ = self._client(metadata).create_authorization_url(
            metadata["authorization_endpoint"],
            state=attempt["state"],
            code_verifier=attempt["verifier"],
            nonce=attempt["nonce"],
        )
        return str(url)

    def claims(self, attempt: dict[str, str], code: str) -> dict[str, Any]:
        """Exchange a code for what the provider says; e-mail and whether it is verified are of one document."""
        try:
            metadata = self._metadata()
            with self._client(metadata) as client:
                return self._exchanged(metadata, client, attempt, code)
        except requests.RequestException as error:
            raise self._unreachable(error) from error
        except (AuthlibBaseError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("refused a sign-in: %s", type(error).__name__)
            raise Problem(
                403,
                "This sign-in could not be verified",
                "What the sign-in service sent back was not accepted. Signing in again may help; if not, tell an "
                "administrator.",
                ("/", "Sign in"),
            ) from error

    def _exchanged(
        self, metadata: dict[str, Any], client: OAuth2Session, attempt: dict[str, str], code: str
    ) -> dict[str, Any]:
        token = client.fetch_token(
            metadata["token_endpoint"],
            code=code,
            code_verifier=attempt["verifier"],
            grant_type="authorization_code",
        )
        claims = self._judged(metadata, token, attempt["nonce"])
        if "email" in claims or "userinfo_endpoint" not in metadata:
            return claims
        # Many providers put the e-mail there alone (OpenID Connect Core 1.0, 5.4).
        said = _json(client.get(metadata["userinfo_endpoint"]))
        if said.get("sub") != claims["sub"]:
            raise ValueError("userinfo of another person")
        return said

    def _judged(self, metadata: dict[str, Any], token: dict[str, Any], nonce: str) -> dict[str, Any]:
        found: Any = _json(requests.get(metadata["jwks_uri"], timeout=_TIMEOUT_SECONDS))
        signed = jwt.decode(token["id_token"], KeySet.import_key_set(found), algorithms=_ALGORITHMS)
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

    def _client(self, metadata: dict[str, Any]) -> OAuth2Session:
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic = "client_secret_basic" in methods
        return OAuth2Session(
            self._oidc.client_id,
            self._oidc.client_secret,
            token_endpoint_auth_method="client_secret_basic" if basic else "client_secret_post",
            scope="openid email",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT_SECONDS,
        )

    def _metadata(self) -> dict[str, Any]:
        if time.monotonic() >= self._known_until:
            url = f"{self._oidc.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = _json(requests.get(url, timeout=_TIMEOUT_SECONDS))
            if found.get("issuer") != self._oidc.issuer:
                raise ValueError("of another issuer")
            if missing := {"authorization_endpoint", "token_endpoint", "jwks_uri"} - found.keys():
                raise ValueError(f"without {', '.join(sorted(missing))}")
            self._known, self._known_until = found, time.monotonic() + _DISCOVERY_SECONDS
        return self._known

    def _unreachable(self, error: Exception) -> Problem:
        log.error("the OpenID provider %s is unreachable: %s", self._oidc.issuer, type(error).__name__)
        return Problem(
            503,
            "The sign-in service does not answer",
            "The portal asks another service who you are, and that one cannot be reached now. Your server is not "
            "affected. Try again in a minute.",
        )


def _json(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    fields = answer.json()
    if not isinstance(fields, dict):
        raise TypeError("not an object")
    return fields
