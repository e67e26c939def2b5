"""Signed sessions and codes."""

from http.cookies import SimpleCookie

from aiohttp import web
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from kupyterhub_proxy.sessions import Sessions

KEY = b"k" * 32
HOST = "ada-0123456789abcdef"
OTHER = "eve-0123456789abcdef"


def cookies(response: web.Response) -> dict[str, str]:
    return {name: morsel.value for name, morsel in response.cookies.items() if morsel.value}


def morsels(response: web.Response) -> SimpleCookie:
    return response.cookies


def test_a_session_is_good_on_its_host_only() -> None:
    sessions, response = Sessions(KEY, secure=True), web.Response()
    sessions.begin(response, "ada@example.org", HOST)
    assert sessions.email(cookies(response), HOST) == "ada@example.org"
    assert sessions.email(cookies(response), OTHER) is None
    assert Sessions(b"x" * 32, secure=True).email(cookies(response), HOST) is None
    assert sessions.email({}, HOST) is None


def test_over_https_cookies_belong_to_the_host_alone() -> None:
    response = web.Response()
    Sessions(KEY, secure=True).begin(response, "ada@example.org", HOST)
    cookie = morsels(response)["__Host-kupyterhub-session"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_over_http_cookies_have_plain_names() -> None:
    response = web.Response()
    Sessions(KEY, secure=False).begin(response, "ada@example.org", HOST)
    assert not morsels(response)["kupyterhub-session"]["secure"]


def test_a_code_is_good_for_its_host_and_its_browser_only() -> None:
    sessions, response = Sessions(KEY, secure=True), web.Response()
    proof = sessions.prove(response, {})
    code = sessions.code("ada@example.org", HOST, proof)
    assert sessions.redeem(code, HOST, cookies(response)) == "ada@example.org"
    assert sessions.redeem(code, OTHER, cookies(response)) is None
    assert sessions.redeem(code, HOST, {}) is None
    another = web.Response()
    sessions.prove(another, {})
    assert sessions.redeem(code, HOST, cookies(another)) is None
    assert sessions.redeem(f"{code}x", HOST, cookies(response)) is None


def test_a_session_is_no_code_and_a_code_no_session() -> None:
    sessions, response = Sessions(KEY, secure=True), web.Response()
    proof = sessions.prove(response, {})
    code = sessions.code("ada@example.org", HOST, proof)
    assert sessions.email({"__Host-kupyterhub-session": code}, HOST) is None


class AMinuteAgo(TimestampSigner):
    def get_timestamp(self) -> int:
        return super().get_timestamp() - 62


def test_a_code_is_stale_after_a_minute() -> None:
    sessions, response = Sessions(KEY, secure=True), web.Response()
    fields = {"email": "ada@example.org", "host": HOST, "proof": sessions.prove(response, {})}
    stale = URLSafeTimedSerializer(KEY, salt="code", signer=AMinuteAgo).dumps(fields)
    fresh = URLSafeTimedSerializer(KEY, salt="code").dumps(fields)
    assert sessions.redeem(stale, HOST, cookies(response)) is None
    assert sessions.redeem(fresh, HOST, cookies(response)) == "ada@example.org"


def test_other_tabs_keep_the_nonce() -> None:
    sessions, first, second = Sessions(KEY, secure=True), web.Response(), web.Response()
    assert sessions.prove(first, {}) == sessions.prove(second, cookies(first))
