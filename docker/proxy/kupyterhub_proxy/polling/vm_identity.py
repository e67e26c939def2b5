"""Verifies that an agent runs on a VM of Google's, and as which service account: its VM identity token.

The token is what the metadata server gives for `identity?format=full&audience=<proxy's URL>`, and its claims are
those of https://cloud.google.com/compute/docs/instances/verifying-instance-identity.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from google.auth import exceptions, jwt

from kupyterhub_proxy.tokens import TokenRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kupyterhub_proxy.certificates import Certificates

ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
_SKEW_SECONDS = 10
_MAX_KNOWN = 1000


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """What a token proves."""

    service_account: str
    """Its e-mail, lower-case."""
    instance: str
    """Number of the VM."""
    expires: datetime


class VmVerifier:
    """Verifies tokens for one audience. Agents send the same token with each request, so it is remembered."""

    def __init__(self, certificates: Certificates, audience: str) -> None:
        self._certificates = certificates
        self._audience = audience
        self._known: dict[bytes, VirtualMachine] = {}

    async def verify(self, token: str) -> VirtualMachine:
        """Return what the token proves; raises TokenRefused, TimeoutError, aiohttp.ClientError."""
        digest = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        known = self._known.get(digest)
        if known is not None and datetime.now(UTC) < known.expires:
            return known
        machine = _machine(await self._claims(token))
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        self._known[digest] = machine
        return machine

    async def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            header: Mapping[str, Any] = jwt.decode_header(token)  # type: ignore[no-untyped-call]
            certificates = await self._certificates.of(str(header.get("kid")))
            claims: Mapping[str, Any] = await asyncio.to_thread(
                jwt.decode, token, certificates, audience=self._audience, clock_skew_in_seconds=_SKEW_SECONDS
            )
        except exceptions.InvalidValue as error:  # the audience or the time; the texts of the others hold the token
            raise TokenRefused(f"the VM identity token is not valid: {error}") from error
        except (exceptions.GoogleAuthError, ValueError, TypeError) as error:
            raise TokenRefused("it is no VM identity token that Google has signed") from error
        return claims


def _machine(claims: Mapping[str, Any]) -> VirtualMachine:
    if claims.get("iss") not in ISSUERS:
        raise TokenRefused("the VM identity token is not of Google's making")
    if claims.get("email_verified") is not True or not claims.get("email"):
        raise TokenRefused("the VM identity token names no service account")
    engine = (claims.get("google") or {}).get("compute_engine") or {}
    if not engine.get("instance_id"):
        raise TokenRefused("the token is none of a VM: it names no instance (ask for format=full)")
    return VirtualMachine(
        service_account=str(claims["email"]).lower(),
        instance=str(engine["instance_id"]),
        expires=datetime.fromtimestamp(claims["exp"], UTC),
    )
