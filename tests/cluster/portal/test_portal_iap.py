"""Who comes through Identity-Aware Proxy is who its assertion says; nobody else comes in."""

import time
from collections.abc import Iterator
from dataclasses import replace

import jwt
import pytest

from cluster.portal.portal_site import ADA, ADMIN, Site
from kupyterhub_portal.settings import Iap
from twins.google_iap import AUDIENCE, IdentityAwareProxy
from twins.keys import KeyServer, serving

IAP = IdentityAwareProxy()
HEADER = "X-Goog-IAP-JWT-Assertion"


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    """Google's list of keys."""
    with serving(IAP.jwks) as server:
        yield server


@pytest.fixture
def behind_iap(site: Site, keys: KeyServer) -> Site:
    identity = Iap(AUDIENCE, f"http://127.0.0.1:{keys.server_port}/keys")
    return replace(site, settings=replace(site.settings, identity=identity))


def test_an_assertion_is_a_sign_in(behind_iap: Site, keys: KeyServer) -> None:
    behind_iap.add(ADA, "Ready")
    browser = behind_iap.browser()
    for _ in range(3):
        page = browser.get("/", **{HEADER: IAP.assertion("Ada@Example.com")}).text
        assert "Your server is running" in page
    assert 'href="/?gcp-iap-mode=CLEAR_LOGIN_COOKIE"' in page
    assert browser.get("/people", **{HEADER: IAP.assertion(ADMIN)}).status_code == 200
    assert len(keys.asked) == 1


def test_a_form_is_of_who_the_assertion_names(behind_iap: Site) -> None:
    user = behind_iap.add(ADA, "Ready")
    browser = behind_iap.browser()
    adas, others = {HEADER: IAP.assertion(ADA)}, {HEADER: IAP.assertion("eve@example.com")}
    form = {"token": browser.get("/", **adas).text.partition('name="token" value="')[2].partition('"')[0]}

    def stop(assertion: dict[str, str], origin: str) -> int:
        return browser.client.post(
            "/stop", base_url=behind_iap.settings.origin, data=form, headers={**assertion, "Origin": origin}
        ).status_code

    assert stop(others, behind_iap.settings.origin) == 403
    assert stop(adas, "https://evil.example") == 403
    assert "state" not in behind_iap.fields(user)
    assert stop(adas, behind_iap.settings.origin) == 303
    assert behind_iap.fields(user)["state"] == "stopped"


@pytest.mark.parametrize(
    ("assertion", "status"),
    [
        pytest.param(None, 401, id="none"),
        pytest.param("nonsense", 403, id="no token"),
        pytest.param(f"{IAP.assertion(ADA)}, {IAP.assertion(ADMIN)}", 403, id="two"),
        pytest.param(IdentityAwareProxy().assertion(ADA), 403, id="signed by another key"),
        pytest.param(IdentityAwareProxy("unknown").assertion(ADA), 403, id="a key that is not of the list"),
        pytest.param(IAP.assertion(ADA, aud="/projects/1/global/backendServices/3"), 403, id="of another backend"),
        pytest.param(IAP.assertion(ADA, iss="https://accounts.google.com"), 403, id="of another issuer"),
        pytest.param(IAP.assertion(ADA, exp=int(time.time()) - 600), 403, id="of yesterday"),
        pytest.param(IAP.assertion(ADA, email=None), 403, id="of nobody"),
        pytest.param(IAP.assertion(ADA, exp=None), 403, id="without an end"),
        pytest.param(IAP.assertion(ADA, email=[ADA]), 403, id="of a list"),
        pytest.param(jwt.encode(IAP.claims(ADA), None, "none", {"kid": "1"}), 403, id="not signed"),
        pytest.param(jwt.encode(IAP.claims(ADA), IAP.keys["1"][27:91], "HS256", {"kid": "1"}), 403, id="by a secret"),
        pytest.param("W10.W10.W10", 403, id="lists"),
        pytest.param("\xff.\xff.\xff", 403, id="no letters"),
    ],
)
def test_nobody_else_comes_in(behind_iap: Site, assertion: str | None, status: int) -> None:
    behind_iap.add(ADA, "Ready")
    answer = behind_iap.browser().get("/", **({HEADER: assertion} if assertion else {}))
    assert answer.status_code == status
    assert "Your server" not in answer.text.replace(">Your server</a>", "")


def test_without_googles_keys_nobody_is_believed(site: Site) -> None:
    site = replace(site, settings=replace(site.settings, identity=Iap(AUDIENCE, "http://127.0.0.1:9/")))
    answer = site.browser().get("/", **{HEADER: IAP.assertion(ADA)})
    assert answer.status_code == 503
    assert "Try again in a minute" in answer.text
