"""Who comes back from our sign-in host, what is believed of an assertion, and how a session ends and is renewed."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from werkzeug.test import TestResponse

from cluster.portal.portal_site import ADA, EVE, ORIGIN, SESSION, Browser, Site, token
from kupyterhub_portal.settings import SignInHost
from twins import sign_in_host
from twins.google_iap import IdentityAwareProxy
from twins.keys import KeyServer, serving

NONCE = "kupyterhub-portal-nonce"
BY_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}
RENEWED, OVER = 6 * 60, 15 * 60


@dataclass
class Way:
    """A portal, and the sign-in host that vouches for people there."""

    site: Site
    login: sign_in_host.SignInHost
    keys: KeyServer

    def asked(self, browser: Browser, path: str = "/") -> dict[str, str]:
        """Open a page, and return what the sign-in host is asked."""
        answer = browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith(f"{self.login.origin}/?")
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def back(self, browser: Browser, code: str, path: str = "/") -> TestResponse:
        """Come back with what the sign-in host gave."""
        return browser.get(f"/.kupyterhub/session?{urlencode({'code': code, 'next': path})}")


@pytest.fixture
def way(site: Site) -> Iterator[Way]:
    listed: dict[str, Any] = {"keys": []}
    with serving(listed) as keys:
        login = sign_in_host.SignInHost(f"http://login.localhost:{keys.server_port}", ORIGIN)
        listed.update(login.keys)
        yield Way(replace(site, settings=replace(site.settings, identity=SignInHost(login.origin))), login, keys)


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/").status_code == 200


def aged(site: Site, seconds: int, email: str = ADA) -> Browser:
    """A browser whose session is so old."""
    browser = site.browser()
    browser.client.set_cookie(SESSION, site.session(email, seconds), domain="localhost")
    return browser


def test_one_comes_back_to_where_one_was(way: Way) -> None:
    browser = way.site.browser()
    asked = way.asked(browser, "/people?part=a")
    assert (asked["host"], asked["next"]) == ("portal", "/people?part=a")
    answer = way.back(browser, way.login.assertion(ADA, asked["proof"]), asked["next"])
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people?part=a")
    assert ADA in browser.get("/").text
    # Names under localhost are this machine's, whatever resolves names here.
    assert way.keys.asked == [f"{way.login.origin}/.well-known/jwks.json"]


def test_the_session_is_for_no_script_and_no_other_site(way: Way) -> None:
    browser = way.site.browser()
    answer = way.back(browser, way.login.assertion(ADA, way.asked(browser)["proof"]))
    (cookie,) = (each for each in answer.headers.getlist("Set-Cookie") if each.startswith(SESSION))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie
    assert "Max-Age=780" in cookie


def test_an_assertion_serves_once_in_the_browser_that_asked(way: Way) -> None:
    browser, thief = way.site.browser(), way.site.browser()
    code = way.login.assertion(ADA, way.asked(browser)["proof"])
    assert way.back(thief, code).status_code == 403
    assert not is_signed_in(thief)
    way.asked(thief)
    way.back(thief, code)
    assert not is_signed_in(thief), "it was taken with another browser's nonce"
    way.back(browser, code)
    assert is_signed_in(browser)
    browser.client.delete_cookie(SESSION, domain="localhost")
    way.back(browser, code)
    assert not is_signed_in(browser), "it was taken twice"


@pytest.mark.parametrize("nonce", [None, ""], ids=["none", "an empty one"])
@pytest.mark.parametrize("proof", ["", "0" * 64, hashlib.sha256(b"").hexdigest()])
def test_nobody_is_signed_in_as_another_by_a_link(way: Way, proof: str, nonce: str | None) -> None:
    """Whoever asks the sign-in host for an assertion chooses the proof: of no nonce, too."""
    victim = way.site.browser()
    if nonce is not None:
        victim.client.set_cookie(NONCE, nonce, domain="localhost")
    way.back(victim, way.login.assertion(EVE, proof))
    assert not is_signed_in(victim)


def test_a_browser_that_keeps_no_cookies_is_told_so_and_not_led_around(way: Way) -> None:
    answer = way.back(way.site.browser(), way.login.assertion(ADA, "0" * 64))
    assert answer.status_code == 403
    assert "Allow cookies for this page" in answer.text


def test_a_head_comes_back_too(way: Way) -> None:
    browser = way.site.browser()
    code = way.login.assertion(ADA, way.asked(browser)["proof"])
    answer = browser.client.head(f"/.kupyterhub/session?{urlencode({'code': code})}", base_url=ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert is_signed_in(browser)


def test_keys_that_are_no_json_are_keys_that_are_away(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_json(*_: Any, **__: Any) -> Any:
        raise json.JSONDecodeError("Expecting value", "<html>", 0)

    monkeypatch.setattr("jwt.jwks_client.json.load", no_json)
    browser = way.site.browser()
    answer = way.back(browser, way.login.assertion(ADA, way.asked(browser)["proof"]))
    assert answer.status_code == 503


def test_two_tabs_that_sign_in_at_once_come_back_both(way: Way) -> None:
    browser = way.site.browser()
    first, second = way.asked(browser), way.asked(browser, "/people")
    way.back(browser, way.login.assertion(ADA, second["proof"]), "/people")
    assert way.back(browser, way.login.assertion(ADA, first["proof"])).headers["Location"] == "/"
    assert is_signed_in(browser)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"aud": "http://localhost:8001"}, id="for another"),
        pytest.param({"aud": None}, id="for nobody"),
        pytest.param({"iss": "http://login.localhost:1"}, id="of another issuer"),
        pytest.param({"iss": "https://cloud.google.com/iap"}, id="as if of Identity-Aware Proxy"),
        pytest.param({"exp": 1}, id="expired"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"iat": None}, id="without a beginning"),
        pytest.param({"email": None}, id="of nobody"),
        pytest.param({"email": [ADA]}, id="of a list"),
        pytest.param({"nonce": None}, id="for any browser"),
        pytest.param({"sid": None}, id="of no sign-in"),
    ],
)
def test_nobody_comes_in_by_what_proves_nothing(way: Way, changed: dict[str, Any]) -> None:
    browser = way.site.browser()
    proof = way.asked(browser)["proof"]
    answer = way.back(browser, way.login.assertion(ADA, proof, **changed))
    assert answer.status_code == 403
    assert "could not be verified" in answer.text
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "forgery", ["another key", "its id", "none", "a secret", "nonsense", "lists", "no letters", ""]
)
def test_nobody_else_can_make_one(way: Way, forgery: str) -> None:
    browser = way.site.browser()
    proof = way.asked(browser)["proof"]
    true = way.login.assertion(ADA, proof)
    claims, key_id = jwt.decode(true, options={"verify_signature": False}), jwt.get_unverified_header(true)["kid"]
    public = str(way.login.keys["keys"][0]["x"])
    code = {
        "another key": sign_in_host.SignInHost(way.login.origin, ORIGIN, b"x" * 32).assertion(ADA, proof),
        "its id": jwt.encode(claims, IdentityAwareProxy().key, "ES256", {"kid": key_id}),
        "none": jwt.encode(claims, None, "none", {"kid": key_id}),
        "a secret": jwt.encode(claims, public, "HS256", {"kid": key_id}),
        "nonsense": "nonsense",
        "lists": "W10.W10.W10",
        "no letters": "\xff.\xff.\xff",
        "": "",
    }[forgery]
    assert way.back(browser, code).status_code == 403
    assert not is_signed_in(browser)


def test_keys_that_nobody_has_are_not_asked_for_again_and_again(way: Way) -> None:
    browser = way.site.browser()
    proof = way.asked(browser)["proof"]
    other = sign_in_host.SignInHost(way.login.origin, ORIGIN, b"x" * 32)
    for _ in range(5):
        way.back(browser, other.assertion(ADA, proof))
    assert len(way.keys.asked) <= 2


def test_without_its_keys_nobody_is_believed(way: Way) -> None:
    site = replace(way.site, settings=replace(way.site.settings, identity=SignInHost("http://login.localhost:9")))
    browser = site.browser()
    browser.get("/")
    answer = way.back(browser, way.login.assertion(ADA, "0" * 64))
    assert answer.status_code == 503
    assert "Try again in a minute" in answer.text


@pytest.mark.parametrize("following", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"])
def test_a_sign_in_leads_nowhere_else(way: Way, following: str) -> None:
    browser = way.site.browser()
    answer = way.back(browser, way.login.assertion(ADA, way.asked(browser)["proof"]), following)
    assert answer.headers["Location"] == "/"


def test_a_session_that_was_changed_is_none(site: Site) -> None:
    browser = site.browser()
    browser.client.set_cookie(SESSION, "W10.x.y", domain="localhost")
    assert not is_signed_in(browser)


def test_a_page_has_an_older_session_renewed_and_what_it_asks_for_goes_on(way: Way) -> None:
    way.site.add(ADA, "Ready")
    browser = aged(way.site, RENEWED)
    assert browser.get("/state", **BY_SCRIPT).status_code == 200
    asked = way.asked(browser, "/?start=x")
    way.back(browser, way.login.assertion(ADA, asked["proof"]))
    assert is_signed_in(browser)


def test_a_session_is_over_a_quarter_of_an_hour_after_it_began(way: Way) -> None:
    browser = aged(way.site, OVER)
    assert browser.get("/state", **BY_SCRIPT).status_code == 401
    assert not is_signed_in(browser)


def test_a_form_that_was_open_for_long_is_given_back_and_is_good_once_one_has_signed_in(way: Way) -> None:
    user = way.site.add(ADA, "Ready")
    browser = way.site.browser()
    way.back(browser, way.login.assertion(ADA, way.asked(browser)["proof"]))
    form = {"token": token(browser.get("/").text), "people": 'a\nb "c" <d>', "user": ["1", "2"]}
    browser.client.delete_cookie(SESSION, domain="localhost")
    answer = browser.client.post("/stop", base_url=ORIGIN, headers={"Origin": ORIGIN}, data=form)
    assert answer.status_code == 401
    assert "nothing is lost" in answer.text
    assert 'action="/stop"' in answer.text
    assert 'name="people" value="a\nb &#34;c&#34; &lt;d&gt;"' in answer.text
    assert 'name="user" value="1"' in answer.text
    assert 'name="user" value="2"' in answer.text
    assert "state" not in way.site.fields(user)
    # The form is still this person's, whether the sign-in is the same or another.
    way.back(browser, way.login.assertion(ADA, way.asked(browser)["proof"], sid="another-sign-in"))
    form["token"] = token(answer.text)
    sent = browser.client.post("/stop", base_url=ORIGIN, headers={"Origin": ORIGIN}, data=form)
    assert sent.status_code == 303
    assert way.site.fields(user)["state"] == "stopped"


@pytest.mark.parametrize("origin", [None, "null", "http://evil.localhost:8000"])
def test_nothing_of_another_origins_form_is_given_back(way: Way, origin: str | None) -> None:
    answer = way.site.browser().post("/stop", origin=origin, people="from elsewhere")
    assert answer.status_code == 403
    assert "from elsewhere" not in answer.text


def test_who_is_not_signed_in_any_more_is_told_so_where_a_script_asked(site: Site) -> None:
    answer = site.browser().get("/state", **BY_SCRIPT)
    assert answer.status_code == 401
    assert "You are not signed in any more" in answer.text


def test_signing_out_ends_it_here_and_at_the_sign_in_host(way: Way) -> None:
    browser = way.site.browser()
    way.back(browser, way.login.assertion(ADA, way.asked(browser)["proof"]))
    answer = browser.post("/sign-out")
    assert answer.headers["Location"] == f"{way.login.origin}/?host=portal&farewell={sign_in_host.WORD}"
    assert not is_signed_in(browser)


def test_who_signs_out_after_the_session_is_asked_there(way: Way) -> None:
    answer = aged(way.site, OVER).post("/sign-out")
    # Not back here, where they would be signed in again.
    assert answer.headers["Location"] == f"{way.login.origin}/"


def test_forms_and_scripts_may_lead_to_the_sign_in_host_and_nowhere_else(way: Way) -> None:
    policy = way.site.browser(ADA).get("/").headers["Content-Security-Policy"]
    assert f"form-action 'self' {way.login.origin};" in policy
    assert f"connect-src 'self' {way.login.origin};" in policy
