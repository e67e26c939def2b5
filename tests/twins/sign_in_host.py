"""The sign-in host as far as the portal sees it: assertions as the server makes them, but for what a test changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from kupyterhub_proxy.portal_assertions import PortalAssertions
from kupyterhub_proxy.visitor import Visitor

KEY = b"s" * 32
SIGN_IN = "a-sign-in"
WORD = "a-word"


class SignInHost(PortalAssertions):
    """Vouches for whomever a test names."""

    def __init__(self, origin: str, portal: str, key: bytes = KEY) -> None:
        super().__init__(key, origin, portal)
        self.origin = origin

    def assertion(self, email: str, proof: str, /, **changed: Any) -> str:
        """One for somebody who has signed in; a claim that is changed to None is left out."""
        now = datetime.now(UTC)
        made = self.of(Visitor(email, now + timedelta(hours=1), now, SIGN_IN), proof, WORD)
        claims = jwt.decode(made, options={"verify_signature": False}) | changed
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self._key, "EdDSA", {"kid": self._key_id})
