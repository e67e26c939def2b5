"""What is believed of an OpenID provider: one of the tests' own that may lie in every way."""

import base64
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from yarl import URL

from kupyterhub_proxy.identities.attempts import Attempt
from kupyterhub_proxy.identities.provider import Provider, ProviderRefused, ProviderUnreachable
from kupyterhub_proxy.identities.settings import Oidc
from kupyterhub_proxy.wanted import Wanted

ADA = "ada@example.org"
CALLBACK = "https://login.hub.example/callback"
CODE = "a-code"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHARED = "a text of at least thirty-two bytes, as HS256 wants"
ATTEMPT = Attempt(Wanted())


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
        self.asked: list[dict[str, str]] = []

    @property
    def issuer(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def provider(self) -> Provider:
        return Provider(Oidc(self.issuer, "client", SHARED), CALLBACK)

    def id_token(self) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "client",
            "sub": "1",
            "iat": now,
            "exp": now + 300,
            "nonce": ATTEMPT.nonce,
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


@pytest.fixture
async def lying() -> AsyncIterator[LyingProvider]:
    provider = LyingProvider()
    await provider.server.start_server(access_log=None)
    yield provider
    await provider.server.close()


async def test_a_sign_in_asks_with_pkce_state_and_nonce_and_keeps_the_providers_own_query(
    lying: LyingProvider,
) -> None:
    query = URL(await lying.provider().sign_in_url(ATTEMPT, choose=False)).query
    challenge = base64.urlsafe_b64encode(hashlib.sha256(ATTEMPT.verifier.encode()).digest()).rstrip(b"=").decode()
    assert dict(query) == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "client",
        "redirect_uri": CALLBACK,
        "scope": "openid email",
        "state": ATTEMPT.state,
        "nonce": ATTEMPT.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


async def test_after_a_sign_out_the_provider_is_to_ask_as_whom_unless_it_signs_out_itself(
    lying: LyingProvider,
) -> None:
    assert URL(await lying.provider().sign_in_url(ATTEMPT, choose=True)).query["prompt"] == "select_account"
    assert await lying.provider().sign_out_url("https://login.hub.example/signed-out") is None
    lying.metadata = {"end_session_endpoint": f"{lying.issuer}/end"}
    assert "prompt" not in URL(await lying.provider().sign_in_url(ATTEMPT, choose=True)).query
    url = URL(await lying.provider().sign_out_url("https://login.hub.example/signed-out") or "")
    assert dict(url.query) == {
        "client_id": "client",
        "post_logout_redirect_uri": "https://login.hub.example/signed-out",
    }


async def test_a_code_is_exchanged_with_the_verifier_and_the_secret(lying: LyingProvider) -> None:
    claims = await lying.provider().claims(ATTEMPT, CODE)
    assert (claims["email"], claims["email_verified"]) == (ADA, True)
    (asked,) = lying.asked
    assert asked["code_verifier"] == ATTEMPT.verifier
    assert asked["redirect_uri"] == CALLBACK
    assert asked["authorization"] == f"Basic {base64.b64encode(f'client:{SHARED}'.encode()).decode()}"
    assert "client_secret" not in asked


async def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(lying: LyingProvider) -> None:
    lying.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await lying.provider().claims(ATTEMPT, CODE)
    assert (lying.asked[0]["client_secret"], lying.asked[0]["authorization"]) == (SHARED, "")


async def test_an_email_of_the_id_token_is_not_asked_for_again(lying: LyingProvider) -> None:
    lying.claims = {"email": ADA, "email_verified": True}
    lying.userinfo = {}
    assert (await lying.provider().claims(ATTEMPT, CODE))["email"] == ADA


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"iss": "https://accounts.example"}, id="other issuer"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": "another"}, id="other audience"),
        pytest.param({"aud": ["client", "another"]}, id="for others too, without azp"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"azp": "another"}, id="asked for by another"),
        pytest.param({"nonce": "another"}, id="other nonce"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"sub": None}, id="nobody"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="no expiry"),
        pytest.param({"iat": None}, id="no time of issue"),
        pytest.param({"at_hash": "x"}, id="of another access token"),
    ],
)
async def test_a_wrong_id_token_is_refused(lying: LyingProvider, claims: dict[str, Any]) -> None:
    lying.claims = claims
    with pytest.raises(ProviderRefused):
        await lying.provider().claims(ATTEMPT, CODE)


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        pytest.param(None, "none", id="none"),
        pytest.param(SHARED, "HS256", id="by our own secret"),
        pytest.param(OTHER_KEY, "RS256", id="by another key under the same id"),
    ],
)
async def test_an_id_token_that_others_could_have_signed_is_refused(
    lying: LyingProvider, key: Any, algorithm: str
) -> None:
    lying.key, lying.algorithm = key, algorithm
    with pytest.raises(ProviderRefused):
        await lying.provider().claims(ATTEMPT, CODE)


async def test_whether_an_email_is_verified_is_said_where_the_email_is(lying: LyingProvider) -> None:
    lying.claims, lying.userinfo = {"email_verified": True}, {"sub": "1", "email": ADA}
    assert (await lying.provider().claims(ATTEMPT, CODE)).get("email_verified") is None


async def test_a_code_that_the_provider_does_not_take_is_refused(lying: LyingProvider) -> None:
    with pytest.raises(ProviderRefused, match="invalid_grant"):
        await lying.provider().claims(ATTEMPT, "another")


@pytest.mark.parametrize("userinfo", [{"sub": "2", "email": ADA}, {"email": ADA}], ids=["another's", "nobody's"])
async def test_an_email_of_another_person_is_refused(lying: LyingProvider, userinfo: dict[str, Any]) -> None:
    lying.userinfo = userinfo
    with pytest.raises(ProviderRefused, match="another person"):
        await lying.provider().claims(ATTEMPT, CODE)


@pytest.mark.parametrize(
    "metadata",
    [{"issuer": "https://accounts.example"}, {"issuer": None}, {"token_endpoint": None}, {"jwks_uri": None}],
    ids=["other issuer", "no issuer", "no token endpoint", "no keys"],
)
async def test_a_provider_that_is_not_the_configured_one_is_none(
    lying: LyingProvider, metadata: dict[str, Any]
) -> None:
    lying.metadata = metadata
    with pytest.raises(ProviderUnreachable):
        await lying.provider().sign_in_url(ATTEMPT, choose=False)


async def test_a_provider_that_is_away_is_asked_again_the_next_time(lying: LyingProvider) -> None:
    provider = lying.provider()
    lying.status = 503
    with pytest.raises(ProviderUnreachable):
        await provider.sign_in_url(ATTEMPT, choose=False)
    lying.status = 200
    assert await provider.sign_in_url(ATTEMPT, choose=False)
    await lying.server.close()
    assert await provider.sign_in_url(ATTEMPT, choose=False), "what it said is known for a while"
    with pytest.raises(ProviderUnreachable):
        await provider.claims(ATTEMPT, CODE)
