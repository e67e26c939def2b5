"""A sign-in under way, kept in the browser."""

import secrets

from aiohttp import web

from kupyterhub_proxy.cookies import Cookies
from kupyterhub_proxy.identities.attempts import Attempts
from kupyterhub_proxy.passing import Passing
from kupyterhub_proxy.wanted import Wanted

KEY = b"k" * 32
WANTED = Wanted("ada-0123456789abcdef", "0" * 64, "/lab?a=1")
ATTEMPTS = Attempts(KEY, Cookies(secure=True))


def cookies(response: web.Response) -> dict[str, str]:
    return {name: morsel.value for name, morsel in response.cookies.items() if morsel.value}


def test_any_replica_finishes_what_the_browser_began() -> None:
    response = web.Response()
    attempt = ATTEMPTS.begin(response, {}, WANTED)
    assert Attempts(KEY, Cookies(secure=True)).find(cookies(response), attempt.state) == attempt
    assert attempt.wanted == WANTED


def test_another_browser_another_state_and_another_key_finish_nothing() -> None:
    response, other = web.Response(), web.Response()
    attempt, second = ATTEMPTS.begin(response, {}, WANTED), ATTEMPTS.begin(other, {}, WANTED)
    assert ATTEMPTS.find({}, attempt.state) is None
    assert ATTEMPTS.find(cookies(response), second.state) is None
    assert ATTEMPTS.find(cookies(response), attempt.state[:16] + "x" * 27) is None
    assert ATTEMPTS.find(cookies(response), attempt.state[:16] + "\udce9") is None
    assert ATTEMPTS.find(cookies(response), "") is None
    assert Attempts(b"x" * 32, Cookies(secure=True)).find(cookies(response), attempt.state) is None


def test_its_secrets_are_different_each_time() -> None:
    first, second = (ATTEMPTS.begin(web.Response(), {}, WANTED) for _ in range(2))
    assert len({first.state, first.nonce, first.verifier, second.state, second.nonce, second.verifier}) == 6
    assert len(first.verifier) >= 43  # RFC 7636, 4.1


def test_it_ends_after_its_time() -> None:
    fields = {"wanted": WANTED.fields(), "state": "s" * 43, "nonce": "n", "verifier": "v"}
    name = f"__Host-kupyterhub-attempt-{'s' * 16}"
    assert ATTEMPTS.find({name: Passing(KEY, "attempt", 600).dumps(fields)}, "s" * 43) is not None
    assert ATTEMPTS.find({name: Passing(KEY, "attempt", -1).dumps(fields)}, "s" * 43) is None


def test_a_browser_keeps_the_cookie_of_the_longest_path() -> None:
    response = web.Response()
    path = "/" + secrets.token_urlsafe(2048)[:2047]  # what cannot be compressed
    ATTEMPTS.begin(response, {}, Wanted.read({**WANTED.fields(), "next": path}))
    (cookie,) = response.cookies.values()
    assert len(cookie.key) + len(cookie.value) <= 4096  # RFC 6265bis, 5.6: name and value


def test_its_cookie_is_of_its_host_alone() -> None:
    response = web.Response()
    ATTEMPTS.begin(response, {}, WANTED)
    (cookie,) = response.cookies.values()
    assert cookie.key.startswith("__Host-kupyterhub-attempt-")
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")


def test_tabs_sign_in_beside_each_other_but_not_without_end() -> None:
    jar: dict[str, str] = {}
    for _ in range(20):
        response = web.Response()
        ATTEMPTS.begin(response, jar, WANTED)
        for name, cookie in response.cookies.items():
            if cookie.value:
                jar[name] = cookie.value
            else:
                del jar[name]
    assert len(jar) == 5
