"""Identity-Aware Proxy as far as a server sees it: the assertions that it signs, and its public keys."""

import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

AUDIENCE = "/projects/1/global/backendServices/2"


class IdentityAwareProxy:
    """Signs with a key of its own."""

    def __init__(self, key_id: str = "1") -> None:
        self.key_id = key_id
        self.key = ec.generate_private_key(ec.SECP256R1())
        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self.keys = {key_id: pem.decode()}
        shown = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.jwks = {"keys": [{**shown, "kid": key_id, "alg": "ES256", "use": "sig"}]}

    async def of(self, _: str) -> dict[str, str]:
        """The keys, as the server's `Certificates` gives them."""
        return self.keys

    def claims(self, email: str, /, **changed: Any) -> dict[str, Any]:
        """The claims of an assertion; one that is changed to None is left out."""
        now = int(time.time())
        claims = {
            "iss": "https://cloud.google.com/iap",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 600,
            "sub": "accounts.google.com:118133858486581853996",
            "email": email,
            "hd": "example.org",
        }
        return {key: value for key, value in (claims | changed).items() if value is not None}

    def assertion(self, email: str, /, **changed: Any) -> str:
        """What a request carries of somebody."""
        return jwt.encode(self.claims(email, **changed), self.key, "ES256", {"kid": self.key_id})
