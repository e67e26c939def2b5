"""Who comes back from an OpenID provider, and what is believed of one that may lie in every way."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.test import TestResponse

from cluster.portal.portal_site import ORIGIN, Browser, Site
from kupyterhub_portal.settings import Oidc
from twins.openid import ADA, CODE, OTHER_KEY, SHARED, LyingProvider, lying_provider


@pytest.fixture
async def lying() -> AsyncIterator[LyingProvider]:
    async with lying_provider() as provider:
        yield provider


@pytest.fixture
def behind_openid(site: Site, lying: LyingProvider) -> Site:
    return replace(site, settings=replace(site.settings, identity=Oidc(lying.issuer, "client", SHARED)))


async def begun(browser: Browser, path: str = "/") -> dict[str, str]:
    """Open a page, and return what the provider is asked."""
    answer = await asyncio.to_thread(browser.get, path)
    assert answer.status_code == 303
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


async def back(browser: Browser, state: str, code: str = CODE) -> TestResponse:
    return await asyncio.to_thread(browser.get, f"/callback?code={code}&state={state}")


async def signed_in(browser: Browser) -> bool:
    return (await asyncio.to_thread(browser.get, "/")).status_code == 200


async def test_one_comes_back_to_where_one_was_with_proof_of_having_asked(
    behind_openid: Site, lying: LyingProvider
) -> None:
    browser = behind_openid.browser()
    asked = await begun(browser, "/people?part=a")
    lying.claims = {"nonce": asked["nonce"]}
    answer = await back(browser, asked["state"])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people?part=a")
    verifier = lying.asked[0]["code_verifier"]
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == challenge
    assert asked["redirect_uri"] == f"{ORIGIN}/callback"
    assert await signed_in(browser)
    # The same once more, as from the history, is no sign-in any more.
    assert (await back(browser, asked["state"])).status_code == 400
    assert len(lying.asked) == 1


async def test_what_another_browser_began_is_not_finished_here(behind_openid: Site, lying: LyingProvider) -> None:
    evil, victim = behind_openid.browser(), behind_openid.browser()
    evils, victims = await begun(evil), await begun(victim)
    for browser, state in ((victim, evils["state"]), (behind_openid.browser(), victims["state"]), (victim, "")):
        assert (await back(browser, state)).status_code == 400
    # State of one's own, and an id token of the other's sign-in.
    lying.claims = {"nonce": evils["nonce"]}
    assert (await back(victim, victims["state"])).status_code == 403
    assert not await signed_in(victim)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"claims": {"aud": "another"}}, id="of another client"),
        pytest.param({"claims": {"iss": "https://accounts.example"}}, id="of another issuer"),
        pytest.param({"claims": {"exp": 1}}, id="expired"),
        pytest.param({"claims": {"nonce": None}}, id="without the nonce"),
        pytest.param({"claims": {"at_hash": "x"}}, id="of another access token"),
        pytest.param({"key": None, "algorithm": "none"}, id="not signed"),
        pytest.param({"key": SHARED, "algorithm": "HS256"}, id="signed by our own secret"),
        pytest.param({"key": OTHER_KEY}, id="signed by another key"),
        pytest.param({"userinfo": {"sub": "2", "email": ADA, "email_verified": True}}, id="userinfo of another"),
        pytest.param({"userinfo": {"sub": "1", "email": ADA}}, id="not said to be verified"),
        pytest.param({"userinfo": {"sub": "1", "email": ADA, "email_verified": "true"}}, id="a text that says true"),
        pytest.param({"userinfo": {"sub": "1", "email": [ADA], "email_verified": True}}, id="a list"),
        pytest.param({"claims": {"email": ADA}}, id="verified elsewhere alone"),
    ],
)
async def test_nobody_comes_in_by_what_proves_nothing(
    behind_openid: Site, lying: LyingProvider, changed: dict[str, Any]
) -> None:
    browser = behind_openid.browser()
    asked = await begun(browser)
    for name, value in changed.items():
        setattr(lying, name, value)
    lying.claims = {"nonce": asked["nonce"], **lying.claims}
    assert (await back(browser, asked["state"])).status_code == 403
    assert not await signed_in(browser)


async def test_a_code_that_the_provider_does_not_know_is_a_clear_message(behind_openid: Site) -> None:
    browser = behind_openid.browser()
    asked = await begun(browser)
    answer = await back(browser, asked["state"], "made-up")
    assert answer.status_code == 403
    assert "could not be verified" in answer.text


async def test_a_provider_that_is_away_is_a_clear_message(behind_openid: Site, lying: LyingProvider) -> None:
    lying.status = 500
    answer = await asyncio.to_thread(behind_openid.browser().get, "/")
    assert answer.status_code == 503
    assert "sign-in service does not answer" in answer.text


async def test_a_form_of_who_is_not_signed_in_any_more_begins_no_sign_in(behind_openid: Site) -> None:
    browser = behind_openid.browser()
    answer = await asyncio.to_thread(
        lambda: browser.client.post("/stop", base_url=ORIGIN, headers={"Origin": ORIGIN}, data={})
    )
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
