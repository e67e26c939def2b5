"""A VM of Google's as far as agents and servers see it: the keys that sign its identity, and its metadata server."""

from __future__ import annotations

import functools
import json
import time
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth import crypt, jwt

from certificates import self_signed

SERVICE_ACCOUNT = "agents@project.iam.gserviceaccount.com"
_FLAVOR = {"Metadata-Flavor": "Google"}
_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default"


class GoogleKeys:
    """Signs as Google does, and publishes its certificates: PEM by key id."""

    def __init__(self, key_id: str = "1") -> None:
        self.key_id = key_id
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        certificate = self_signed(key, "federated-signon.system.gserviceaccount.com")
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.certificates = {key_id: certificate.public_bytes(Encoding.PEM).decode()}
        self._signer = crypt.RSASigner.from_string(private, key_id)

    def token(self, audience: str, **changed: Any) -> str:
        """An identity token of a VM, as with format=full; a claim that is changed to None is left out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "https://accounts.google.com",
            "aud": audience,
            "azp": "1234567890",
            "sub": "1234567890",
            "email": SERVICE_ACCOUNT,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
            "google": {"compute_engine": {"project_id": "project", "zone": "us-west1-b", "instance_id": "4711"}},
        }
        claims |= changed
        return jwt.encode(self._signer, {k: v for k, v in claims.items() if v is not None}).decode()

    async def serve(self, _: web.BaseRequest) -> web.Response:
        return web.json_response(self.certificates)


@functools.cache
def google_keys(key_id: str = "1") -> GoogleKeys:
    """A pair of keys is slow to make: once for all tests."""
    return GoogleKeys(key_id)


class MetadataServer:
    """Gives a VM's programs its service account, access tokens and identity tokens."""

    def __init__(self, keys: GoogleKeys) -> None:
        self._keys = keys
        self.audiences: list[str] = []

    async def serve(self, request: web.BaseRequest) -> web.Response:
        if request.headers.get("Metadata-Flavor") != "Google":
            return web.Response(status=403)
        match request.path:
            case path if path == f"{_ACCOUNT}/email":
                text = SERVICE_ACCOUNT
            case path if path == f"{_ACCOUNT}/token":
                text = json.dumps({"access_token": "ya29.twin", "expires_in": 3599, "token_type": "Bearer"})
            case path if path == f"{_ACCOUNT}/identity" and request.query["format"] == "full":
                self.audiences.append(request.query["audience"])
                text = self._keys.token(request.query["audience"])
            case "/computeMetadata/v1/project/project-id":
                text = "project"
            case _:
                return web.Response(status=404, headers=_FLAVOR)
        return web.Response(text=text, headers=_FLAVOR)
