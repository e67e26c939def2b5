"""What is believed of an OpenID provider: one of the tests' own that may lie in every way."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from yarl import URL

from kupyterhub_proxy.identities.attempts import Attempt
from kupyterhub_proxy.identities.provider import Provider, ProviderRefused, ProviderUnreachable
from kupyterhub_proxy.identities.settings import Oidc
from kupyterhub_proxy.wanted import Wanted
from twins.openid import ADA, CODE, OTHER_KEY, SHARED, LyingProvider, lying_provider

CALLBACK = "https://login.hub.example/callback"
ATTEMPT = Attempt(Wanted())


@pytest.fixture
async def lying() -> AsyncIterator[LyingProvider]:
    async with lying_provider() as provider:
        provider.nonce = ATTEMPT.nonce
        yield provider


def believing(lying: LyingProvider) -> Provider:
    return Provider(Oidc(lying.issuer, "client", SHARED), CALLBACK)


async def test_a_sign_in_asks_with_pkce_state_and_nonce_and_keeps_the_providers_own_query(
    lying: LyingProvider,
) -> None:
    query = URL(await believing(lying).sign_in_url(ATTEMPT, choose=False)).query
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
    assert URL(await believing(lying).sign_in_url(ATTEMPT, choose=True)).query["prompt"] == "select_account"
    assert await believing(lying).sign_out_url("https://login.hub.example/signed-out") is None
    lying.metadata = {"end_session_endpoint": f"{lying.issuer}/end"}
    assert "prompt" not in URL(await believing(lying).sign_in_url(ATTEMPT, choose=True)).query
    url = URL(await believing(lying).sign_out_url("https://login.hub.example/signed-out") or "")
    assert dict(url.query) == {
        "client_id": "client",
        "post_logout_redirect_uri": "https://login.hub.example/signed-out",
    }


async def test_a_code_is_exchanged_with_the_verifier_and_the_secret(lying: LyingProvider) -> None:
    claims = await believing(lying).claims(ATTEMPT, CODE)
    assert (claims["email"], claims["email_verified"]) == (ADA, True)
    (asked,) = lying.asked
    assert asked["code_verifier"] == ATTEMPT.verifier
    assert asked["redirect_uri"] == CALLBACK
    assert asked["authorization"] == f"Basic {base64.b64encode(f'client:{SHARED}'.encode()).decode()}"
    assert "client_secret" not in asked


async def test_the_secret_goes_into_the_form_where_the_provider_wants_it_there(lying: LyingProvider) -> None:
    lying.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await believing(lying).claims(ATTEMPT, CODE)
    assert (lying.asked[0]["client_secret"], lying.asked[0]["authorization"]) == (SHARED, "")


async def test_an_email_of_the_id_token_is_not_asked_for_again(lying: LyingProvider) -> None:
    lying.claims = {"email": ADA, "email_verified": True}
    lying.userinfo = {}
    assert (await believing(lying).claims(ATTEMPT, CODE))["email"] == ADA


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
        await believing(lying).claims(ATTEMPT, CODE)


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
        await believing(lying).claims(ATTEMPT, CODE)


async def test_whether_an_email_is_verified_is_said_where_the_email_is(lying: LyingProvider) -> None:
    lying.claims, lying.userinfo = {"email_verified": True}, {"sub": "1", "email": ADA}
    assert (await believing(lying).claims(ATTEMPT, CODE)).get("email_verified") is None


async def test_a_code_that_the_provider_does_not_take_is_refused(lying: LyingProvider) -> None:
    with pytest.raises(ProviderRefused, match="invalid_grant"):
        await believing(lying).claims(ATTEMPT, "another")


@pytest.mark.parametrize("userinfo", [{"sub": "2", "email": ADA}, {"email": ADA}], ids=["another's", "nobody's"])
async def test_an_email_of_another_person_is_refused(lying: LyingProvider, userinfo: dict[str, Any]) -> None:
    lying.userinfo = userinfo
    with pytest.raises(ProviderRefused, match="another person"):
        await believing(lying).claims(ATTEMPT, CODE)


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
        await believing(lying).sign_in_url(ATTEMPT, choose=False)


async def test_a_provider_that_is_away_is_asked_again_the_next_time(lying: LyingProvider) -> None:
    provider = believing(lying)
    lying.status = 503
    with pytest.raises(ProviderUnreachable):
        await provider.sign_in_url(ATTEMPT, choose=False)
    lying.status = 200
    assert await provider.sign_in_url(ATTEMPT, choose=False)
    await lying.server.close()
    assert await provider.sign_in_url(ATTEMPT, choose=False), "what it said is known for a while"
    with pytest.raises(ProviderUnreachable):
        await provider.claims(ATTEMPT, CODE)
