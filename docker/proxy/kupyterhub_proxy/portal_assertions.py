"""What the sign-in host says of a person to the portal, which holds no secret that could say the same.

A token of a minute, for the portal's origin alone and for the browser that holds the nonce it was made for. Its key
is made from the one that replicas share, so all sign with the same and it changes with that; everybody may have the
public half.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import OKPAlgorithm

if TYPE_CHECKING:
    from kupyterhub_proxy.visitor import Visitor

KEYS_PATH = "/.well-known/jwks.json"
KEYS_SECONDS = 300
"""So long anybody may keep the keys; who meets one that they do not know asks anew."""
_SECONDS = 60
_ALGORITHM = "EdDSA"


class PortalAssertions:
    """Makes them, as `issuer`, for `audience`."""

    def __init__(self, key: bytes, issuer: str, audience: str) -> None:
        derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"kupyterhub portal assertion").derive(key)
        self._key = Ed25519PrivateKey.from_private_bytes(derived)
        self._issuer = issuer
        self._audience = audience
        public = self._key.public_key()
        self._key_id = hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
        shown = OKPAlgorithm.to_jwk(public, as_dict=True)
        self.keys: dict[str, Any] = {
            "keys": [{**shown, "kid": self._key_id, "alg": _ALGORITHM, "use": "sig"}],
        }
        """What verifies them, as a JWK Set (RFC 7517)."""

    def of(self, visitor: Visitor, proof: str, farewell: str) -> str:
        """Make one for the browser that asked with `proof`; `farewell` is the word by which the portal signs out."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "iat": now,
            "exp": now + _SECONDS,
            "email": visitor.email,
            "sid": visitor.sign_in,
            "nonce": proof,
            "farewell": farewell,
        }
        return jwt.encode(claims, self._key, _ALGORITHM, {"kid": self._key_id})
