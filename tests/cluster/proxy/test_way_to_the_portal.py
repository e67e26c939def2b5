"""The portal learns who somebody is from the sign-in host, as users' hosts do; nothing else gets an assertion."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest

from cluster.proxy.harness import ADA, HTML, Browser, System, running_proxy
from kupyterhub_rules.names import base_name

PORTAL = "http://localhost:8000"
KEYS = "/.well-known/jwks.json"
PROOF = "0" * 64


@pytest.fixture
async def beside(tmp_path: Path) -> AsyncIterator[System]:
    """A server beside a portal."""
    async with running_proxy(tmp_path, environment={"KUPYTERHUB_PORTAL_URL": PORTAL}) as system:
        yield system


@pytest.fixture
async def visitor(beside: System) -> AsyncIterator[Browser]:
    browser = Browser(beside)
    yield browser
    await browser.close()


async def sent_to(browser: Browser, **query: str) -> str:
    """Where somebody who has signed in is sent from the sign-in host."""
    async with browser.session.get(
        browser.system.url("login").with_query(query), headers=HTML, allow_redirects=False
    ) as answer:
        assert answer.status == 303, await answer.text()
        return str(answer.headers["Location"])


async def claims(browser: Browser, code: str) -> dict[str, Any]:
    async with browser.request("GET", "login", KEYS) as answer:
        (key,) = jwt.PyJWKSet.from_dict(await answer.json()).keys
    found: dict[str, Any] = jwt.decode(code, key, audience=PORTAL, issuer=browser.system.origin("login"))
    return found


async def test_who_has_signed_in_comes_back_with_an_assertion_and_sees_no_page(visitor: Browser) -> None:
    await visitor.sign_in(ADA)
    to = urlsplit(await sent_to(visitor, host="portal", proof=PROOF, next="/people?part=a"))
    assert f"{to.scheme}://{to.netloc}{to.path}" == f"{PORTAL}/.kupyterhub/session"
    query = dict(parse_qsl(to.query))
    assert query["next"] == "/people?part=a"
    found = await claims(visitor, query["code"])
    assert (found["email"], found["nonce"]) == (ADA, PROOF)


async def test_who_has_not_signs_in_first_and_comes_back_to_the_portal(visitor: Browser) -> None:
    wanted = {"host": "portal", "proof": PROOF, "next": "/people"}
    async with visitor.session.get(visitor.system.url("login").with_query(wanted), headers=HTML) as page:
        assert "one machine only" in await page.text()
        # Browsers look at where a form's redirects lead, too.
        assert f"form-action 'self' {PORTAL};" in page.headers["Content-Security-Policy"]
    async with visitor.request("POST", "login", "/sign-in", data={**wanted, "email": ADA}) as answer:
        to = urlsplit(answer.headers["Location"])
    assert f"{to.scheme}://{to.netloc}" == PORTAL
    assert (await claims(visitor, parse_qs(to.query)["code"][0]))["email"] == ADA


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"proof": ""}, id="no proof"),
        pytest.param({"proof": "x"}, id="a proof that is none"),
        pytest.param({"next": "//evil.example"}, id="a path that looks like a host"),
        pytest.param({"next": "@evil.example"}, id="a path that is none"),
    ],
)
async def test_whatever_is_asked_for_the_way_back_is_to_the_portal(visitor: Browser, changed: dict[str, str]) -> None:
    await visitor.sign_in(ADA)
    to = await sent_to(visitor, **{"host": "portal", "proof": PROOF, **changed})
    assert to.startswith(f"{PORTAL}/")
    assert ("code=" in to) == ("next" in changed)


@pytest.mark.parametrize("host", ["https://evil.example", "portal.evil.example", "PORTAL", f"{PORTAL}/"])
async def test_nothing_else_gets_an_assertion(visitor: Browser, host: str) -> None:
    await visitor.sign_in(ADA)
    login = visitor.system.url("login").with_query({"host": host, "proof": PROOF})
    async with visitor.session.get(login, headers=HTML, allow_redirects=False) as answer:
        assert answer.status == 200
        assert "Location" not in answer.headers


async def test_without_a_portal_there_are_neither_keys_nor_assertions(system: System, browser: Browser) -> None:
    await browser.sign_in(ADA)
    assert "code=" not in await sent_to(browser, host="portal", proof=PROOF)
    async with browser.request("GET", "login", KEYS) as answer:
        assert answer.status == 404


async def test_a_code_of_a_users_host_is_no_assertion(visitor: Browser) -> None:
    await visitor.sign_in(ADA)
    to = await sent_to(visitor, host=base_name(ADA), proof=PROOF)
    with pytest.raises(jwt.PyJWTError):
        await claims(visitor, parse_qs(urlsplit(to).query)["code"][0])


async def test_the_keys_are_for_everybody_and_may_be_kept(visitor: Browser) -> None:
    async with visitor.request("GET", "login", KEYS) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert "Set-Cookie" not in answer.headers


async def test_the_portals_word_of_a_sign_out_ends_all_of_this_sign_in_and_no_other(visitor: Browser) -> None:
    await visitor.sign_in(ADA)
    code = parse_qs(urlsplit(await sent_to(visitor, host="portal", proof=PROOF)).query)["code"][0]
    farewell = (await claims(visitor, code))["farewell"]
    host = base_name(ADA)
    urls = [visitor.system.url(label) for label in ("login", host)]
    copies = [visitor.session.cookie_jar.filter_cookies(url) for url in urls]
    said = visitor.system.url("login").with_query(farewell=farewell, host="portal")

    another = Browser(visitor.system)
    try:
        await another.sign_in(ADA)
        async with another.session.get(said, allow_redirects=False) as asked:
            assert asked.status == 200, "who wants to sign out is led back signed in"
        async with another.request("GET", host, headers=HTML) as answer:
            assert answer.status == 503, "a link has signed out somebody else"
    finally:
        await another.close()

    async with visitor.session.get(said) as page:
        assert 'name="host" value="portal"' in await page.text(), "who signs in next is not led back"
    for url, cookies in zip(urls, copies, strict=True):
        visitor.session.cookie_jar.update_cookies(cookies, url)
    async with visitor.request("GET", host, headers=HTML) as answer:
        assert answer.status == 303, "a copy of the session still opens the notebook"
    again = visitor.system.url("login").with_query(host="portal", proof=PROOF)
    async with visitor.session.get(again, allow_redirects=False) as page:
        assert page.status == 200, "a copy of the session still gets an assertion"
