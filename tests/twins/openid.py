"""An OpenID provider that may lie in every way, for whoever signs people in by one."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ADA = "ada@example.org"
CODE = "a-code"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHARED = "a text of at least thirty-two bytes, as HS256 wants"


class LyingProvider:
    """Answers as the standard says, but for what a test changes."""

    def __init__(self) -> None:
        self.server = TestServer(self._app(), host="127.0.0.1")
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {"sub": "1", "email": ADA, "email_verified": True}
        self.key: Any = KEY
        self.algorithm = "RS256"
        self.status = 200
        self.nonce = ""
        self.asked: list[dict[str, str]] = []

    @property
    def issuer(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "client",
            "sub": "1",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            **self.claims,
        }
        kept = {key: value for key, value in claims.items() if value is not None}
        return jwt.encode(kept, self.key, self.algorithm, {"kid": "1"})

    def _app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/.well-known/openid-configuration", self._discovery),
                web.get("/jwks", self._jwks),
                web.post("/token", self._token),
                web.get("/userinfo", self._userinfo),
            ]
        )
        return app

    async def _discovery(self, _: web.Request) -> web.Response:
        metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.metadata,
        }
        kept = {key: value for key, value in metadata.items() if value is not None}
        return web.json_response(kept, status=self.status)

    async def _jwks(self, _: web.Request) -> web.Response:
        key = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return web.json_response({"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]})

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.asked.append({**form, "authorization": request.headers.get("Authorization", "")})
        if form["code"] != CODE:
            return web.json_response({"error": "invalid_grant"}, status=400)
        answer = {"access_token": "access", "token_type": "Bearer", "id_token": self.id_token()}
        return web.json_response(answer)

    async def _userinfo(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer access"
        return web.json_response(self.userinfo)


@asynccontextmanager
async def lying_provider() -> AsyncIterator[LyingProvider]:
    provider = LyingProvider()
    await provider.server.start_server(access_log=None)
    try:
        yield provider
    finally:
        await provider.server.close()
