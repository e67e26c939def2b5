"""Signed sessions and codes."""

import hashlib
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path

from aiohttp import web
from itsdangerous import URLSafeSerializer

from kupyterhub_proxy.cookies import Cookies
from kupyterhub_proxy.ended_sign_ins import KEPT, Ended, EndedSignIns
from kupyterhub_proxy.passing import Passing
from kupyterhub_proxy.people import People
from kupyterhub_proxy.registry import Registry
from kupyterhub_proxy.sessions import LONGEST, Sessions
from kupyterhub_proxy.sign_outs import SignOuts
from kupyterhub_proxy.visitor import SESSION, Visitor

KEY = b"k" * 32
ADA = "ada@example.org"
HOST = "ada-0123456789abcdef"
OTHER = "eve-0123456789abcdef"


def new(key: bytes = KEY, *, secure: bool = True) -> Sessions:
    people = People(Path("/dev/null"))
    return Sessions(key, Cookies(secure=secure), SignOuts(key, Registry(), people, lambda: None))


def cookies(response: web.Response) -> dict[str, str]:
    return {name: morsel.value for name, morsel in response.cookies.items() if morsel.value}


def morsels(response: web.Response) -> SimpleCookie:
    return response.cookies


def signed_in(left: timedelta, ago: timedelta = SESSION) -> Visitor:
    now = datetime.now(UTC).replace(microsecond=0)
    return Visitor(ADA, now + left, now - ago, "1")


def test_a_session_is_good_on_its_host_only() -> None:
    sessions, response = new(), web.Response()
    visitor = sessions.begin(response, ADA, HOST)
    assert visitor.email == ADA
    found = sessions.visitor(cookies(response), HOST)
    assert found is not None
    assert (found.email, found.sign_in) == (ADA, visitor.sign_in)
    assert sessions.visitor(cookies(response), OTHER) is None
    assert new(b"x" * 32).visitor(cookies(response), HOST) is None
    assert sessions.visitor({}, HOST) is None


def test_another_replica_with_the_key_takes_a_session() -> None:
    response = web.Response()
    new().begin(response, ADA, HOST)
    assert new().visitor(cookies(response), HOST) is not None


def test_a_session_ends_with_its_time_on_every_host() -> None:
    sessions, response = new(), web.Response()
    past = signed_in(-timedelta(seconds=1))
    sessions.enter(response, past, HOST)
    assert sessions.visitor(cookies(response), HOST) is None
    assert not sessions.lasts(past)


def test_over_https_cookies_belong_to_the_host_alone() -> None:
    response = web.Response()
    new().begin(response, ADA, HOST)
    cookie = morsels(response)["__Host-kupyterhub-session"]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]


def test_over_http_cookies_have_plain_names() -> None:
    response = web.Response()
    new(secure=False).begin(response, ADA, HOST)
    assert not morsels(response)["kupyterhub-session"]["secure"]


def test_a_code_is_good_for_its_host_and_its_browser_only() -> None:
    sessions, response = new(), web.Response()
    visitor = sessions.begin(web.Response(), ADA, "login")
    code = sessions.code(visitor, HOST, sessions.prove(response, {}))
    redeemed = sessions.redeem(code, HOST, cookies(response))
    assert redeemed is not None
    assert (redeemed.email, redeemed.sign_in) == (ADA, visitor.sign_in)
    assert sessions.redeem(code, OTHER, cookies(response)) is None
    assert sessions.redeem(code, HOST, {}) is None
    another = web.Response()
    sessions.prove(another, {})
    assert sessions.redeem(code, HOST, cookies(another)) is None
    assert sessions.redeem(f"{code}x", HOST, cookies(response)) is None


def test_no_code_is_bound_to_the_nonce_of_a_browser_that_has_none() -> None:
    """Else somebody could make a code of their own sign-in for it, and sign another browser in as themselves."""
    sessions = new()
    visitor = sessions.begin(web.Response(), ADA, "login")
    code = sessions.code(visitor, HOST, hashlib.sha256(b"").hexdigest())
    assert sessions.redeem(code, HOST, {}) is None
    assert sessions.redeem(code, HOST, {"__Host-kupyterhub-nonce": ""}) is None


def test_a_session_is_no_code_and_a_code_no_session() -> None:
    sessions, response = new(), web.Response()
    visitor = sessions.begin(response, ADA, HOST)
    code = sessions.code(visitor, HOST, sessions.prove(response, {}))
    assert sessions.visitor({"__Host-kupyterhub-session": code}, HOST) is None
    assert sessions.redeem(cookies(response)["__Host-kupyterhub-session"], HOST, cookies(response)) is None


def test_a_code_is_stale_after_its_time_and_takes_no_other_for_one() -> None:
    sessions, response = new(), web.Response()
    until = int(datetime.now(UTC).timestamp()) + 1000
    proof = sessions.prove(response, {})
    fields = {"email": ADA, "until": until, "signIn": "1", "host": HOST, "proof": proof}
    assert sessions.redeem(Passing(KEY, "code", 60).dumps(fields), HOST, cookies(response)) is not None
    for other in (Passing(KEY, "code", -1), Passing(KEY, "farewell", 60), Passing(b"x" * 32, "code", 60)):
        assert sessions.redeem(other.dumps(fields), HOST, cookies(response)) is None


def test_other_tabs_keep_the_nonce() -> None:
    sessions, first, second = new(), web.Response(), web.Response()
    assert sessions.prove(first, {}) == sessions.prove(second, cookies(first))


def test_signing_out_ends_a_sign_in_on_all_hosts_and_no_other_sign_in() -> None:
    sessions, here, elsewhere, later = new(), web.Response(), web.Response(), web.Response()
    visitor = sessions.begin(here, ADA, HOST)
    sessions.enter(elsewhere, visitor, OTHER)
    code = sessions.code(visitor, HOST, sessions.prove(here, {}))
    sessions.begin(later, ADA, HOST)
    sessions.end(web.Response(), visitor)
    assert sessions.visitor(cookies(here), HOST) is None
    assert sessions.visitor(cookies(elsewhere), OTHER) is None
    assert sessions.redeem(code, HOST, cookies(here)) is None
    assert not sessions.lasts(visitor)
    assert sessions.visitor(cookies(later), HOST) is not None


def test_the_word_of_a_sign_out_names_its_sign_in_and_cannot_be_made_up() -> None:
    sessions = new()
    visitor = sessions.begin(web.Response(), ADA, HOST)
    assert new().parting(sessions.farewell(visitor)) == visitor.sign_in
    assert new(b"x" * 32).parting(sessions.farewell(visitor)) is None
    assert sessions.parting("") is None
    assert sessions.parting(Passing(KEY, "farewell", -1).dumps(visitor.sign_in)) is None


def renewed(sessions: Sessions, visitor: Visitor) -> Visitor | None:
    response = web.Response()
    sessions.renew(response, visitor, HOST)
    return sessions.visitor(cookies(response), HOST)


def test_a_sign_in_that_is_used_lasts_longer_and_a_week_at_most() -> None:
    sessions, hour = new(), timedelta(hours=1)
    assert renewed(sessions, signed_in(SESSION - hour)) is None, "most of its time is left"
    longer = renewed(sessions, signed_in(hour))
    assert longer is not None
    assert longer.until - datetime.now(UTC) > SESSION - hour
    assert (longer.sign_in, longer.began) == ("1", signed_in(hour).began)
    last = renewed(sessions, signed_in(hour, LONGEST - 2 * hour))
    assert last is not None
    assert last.until == last.began + LONGEST
    assert renewed(sessions, last) is None


def test_signing_out_ends_a_copy_that_was_renewed_and_would_last_longer() -> None:
    sessions = new()
    before = signed_in(timedelta(minutes=1))
    copy = renewed(sessions, before)
    assert copy is not None
    sessions.end(web.Response(), before)
    (word,) = sessions._sign_outs.of(ADA)
    assert datetime.fromisoformat(word["until"]) >= copy.until
    assert not sessions.lasts(copy)


def test_a_session_of_a_server_that_did_not_renew_any_is_taken() -> None:
    sessions, until = new(), datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    old = URLSafeSerializer(KEY, salt="session").dumps(
        {"email": ADA, "until": int(until.timestamp()), "signIn": "1", "host": HOST}
    )
    visitor = sessions.visitor({"__Host-kupyterhub-session": str(old)}, HOST)
    assert visitor == Visitor(ADA, until, until - SESSION, "1")


def test_a_copy_that_was_renewed_while_the_word_of_the_sign_out_was_under_way_does_not_come_back() -> None:
    asked, other = new(), new()
    visitor = signed_in(timedelta(hours=1))
    asked.end(web.Response(), visitor)
    copy = renewed(other, visitor)
    assert copy is not None
    (word,) = asked._sign_outs.of(ADA)
    other._sign_outs.hear(word["word"])
    assert datetime.fromisoformat(word["until"]) >= visitor.began + LONGEST
    assert not other.lasts(copy)


def test_who_signs_out_again_and_again_has_no_older_sign_in_come_back() -> None:
    ended, now = EndedSignIns(), datetime.now(UTC)
    old = Visitor(ADA, now + LONGEST, now - timedelta(days=1), "old")
    ended.add(Ended(old, "w"), now)
    for number in range(KEPT):
        short = Visitor(ADA, now + timedelta(hours=1), now, str(number))
        ended.add(Ended(short, "w"), now)
    later = now + timedelta(hours=2)
    ended.add(Ended(Visitor("eve@example.org", later + LONGEST, later, "e"), "w"), later)
    assert ended.has(old)
