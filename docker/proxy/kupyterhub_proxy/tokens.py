"""Verifies that an agent is the agent that it says: a ServiceAccount token of a cluster that we trust.

The claims are those of projected tokens (k8s.io/kubernetes/pkg/serviceaccount/claims.go): `sub`, and
`kubernetes.io` with namespace, pod and serviceaccount.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALGORITHMS = ["RS256", "ES256"]
_LEEWAY_SECONDS = 10
_SHARED_AGENT = "agent"
_AGENT_PREFIX = "agent-"


class TokenRefused(Exception):
    """The token does not prove what it should; the text says why and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A cluster whose agents may dial."""

    issuer: str
    jwks: str
    """Where its keys are: an http(s) URL or a path."""
    namespace: str


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """What a token proves."""

    account: str
    """The ServiceAccount: `agent-<name>` of one user, or `agent` of the shared agent."""
    instance: str
    """Uid of the agent's pod."""
    expires: datetime

    def may_serve(self, name: str) -> bool:
        """Whether it may serve the user of this name."""
        return self.account in {_SHARED_AGENT, f"{_AGENT_PREFIX}{name}"}


def read_issuers(path: Path) -> tuple[Issuer, ...]:
    """Read the file of trusted clusters: a JSON list of {issuer, jwks, namespace}."""
    return tuple(Issuer(**entry) for entry in json.loads(path.read_text()))


class Verifier:
    """Verifies tokens for one audience."""

    def __init__(self, issuers: Iterable[Issuer], audience: str) -> None:
        self._issuers = {issuer.issuer: issuer for issuer in issuers}
        self._audience = audience

    async def verify(self, token: str) -> AgentIdentity:
        """Return what the token proves; raises TokenRefused."""
        try:
            # Keys behind a URL are fetched by a blocking client, so this is done beside the loop.
            claims, issuer = await asyncio.to_thread(self._claims, token)
        except jwt.PyJWTError as error:
            raise TokenRefused(f"the token is not valid: {error}") from error
        prefix = f"system:serviceaccount:{issuer.namespace}:"
        subject = str(claims["sub"])
        account = subject.removeprefix(prefix)
        if account == subject or not (account == _SHARED_AGENT or account.startswith(_AGENT_PREFIX)):
            raise TokenRefused(f"{subject} is no agent of namespace {issuer.namespace}")
        pod = claims.get("kubernetes.io", {}).get("pod", {})
        if not pod.get("uid"):
            raise TokenRefused("the token is not bound to a pod")
        return AgentIdentity(
            account=account,
            instance=str(pod["uid"]),
            expires=datetime.fromtimestamp(claims["exp"], UTC),
        )

    def _claims(self, token: str) -> tuple[dict[str, Any], Issuer]:
        # Nothing is trusted yet: this only says whose key to try.
        said = jwt.decode(token, options={"verify_signature": False}).get("iss")
        issuer = self._issuers.get(str(said))
        if issuer is None:
            raise TokenRefused("the token is of a cluster that is not in KUPYTERHUB_AGENT_ISSUERS")
        claims: dict[str, Any] = jwt.decode(
            token,
            _signing_key(issuer.jwks, token),
            algorithms=_ALGORITHMS,
            audience=self._audience,
            issuer=issuer.issuer,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
        return claims, issuer


def _signing_key(jwks: str, token: str) -> jwt.PyJWK:
    if jwks.startswith(("http://", "https://")):
        return _client(jwks).get_signing_key_from_jwt(token)
    wanted = jwt.get_unverified_header(token).get("kid")
    for key in jwt.PyJWKSet.from_json(Path(jwks).read_text()).keys:
        if key.key_id == wanted:
            return key
    raise TokenRefused("the token is signed by a key that its cluster does not list")


@cache
def _client(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, timeout=10)
