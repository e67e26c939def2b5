"""What may pass between browser and notebook."""

from dataclasses import replace

import pytest

from kupyterhub_tunnel.heads import RequestHead
from kupyterhub_tunnel.rules import answer_headers, refusal, request_headers, request_target, subprotocols

ORIGIN = "https://ada-0123456789abcdef.example.org"
OTHER = "https://eve-0123456789abcdef.example.org"
NAVIGATION = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))


def head(method: str = "GET", *headers: tuple[str, str], websocket: bool = False) -> RequestHead:
    return RequestHead(method, "/", headers, "192.0.2.1", websocket=websocket)


@pytest.mark.parametrize(
    "allowed",
    [
        pytest.param(head(), id="plain get"),
        pytest.param(head("HEAD"), id="head"),
        pytest.param(head("OPTIONS", ("Origin", OTHER)), id="preflight, whose answer says nothing"),
        pytest.param(head("POST", ("Origin", ORIGIN)), id="post from the user's own page"),
        pytest.param(head("GET", ("Origin", ORIGIN), websocket=True), id="websocket from it"),
        pytest.param(head("GET", ("Sec-Fetch-Site", "same-origin")), id="fetch from it"),
        pytest.param(head("GET", ("Sec-Fetch-Site", "none")), id="typed address"),
        pytest.param(head("GET", ("Sec-Fetch-Site", "cross-site"), *NAVIGATION), id="link elsewhere"),
        pytest.param(head("GET", ("Sec-Fetch-Site", "same-site"), *NAVIGATION), id="link of a neighbour"),
    ],
)
def test_what_the_users_own_page_asks_passes(allowed: RequestHead) -> None:
    assert refusal(allowed, ORIGIN) is None


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(head("POST"), id="post without origin"),
        pytest.param(head("POST", ("Origin", OTHER)), id="post of a neighbour"),
        pytest.param(head("POST", ("Origin", "null")), id="post of a sandbox"),
        pytest.param(head("POST", ("Origin", ORIGIN.replace("https", "http"))), id="other scheme"),
        pytest.param(head("POST", ("Origin", f"{ORIGIN}:8443")), id="other port"),
        pytest.param(head("POST", ("Origin", ORIGIN), ("Origin", OTHER)), id="two origins"),
        pytest.param(head("DELETE"), id="delete"),
        pytest.param(head("PROPFIND"), id="any other method"),
        pytest.param(head("get"), id="a method that is not GET but looks so"),
        pytest.param(head(websocket=True), id="websocket without origin"),
        pytest.param(head("GET", ("Origin", OTHER), websocket=True), id="websocket of a neighbour"),
        pytest.param(head("GET", ("Sec-Fetch-Site", "same-site")), id="image of a neighbour"),
        pytest.param(
            head(
                "GET",
                ("Sec-Fetch-Site", "same-site"),
                ("Sec-Fetch-Mode", "navigate"),
                ("Sec-Fetch-Dest", "iframe"),
            ),
            id="frame in a neighbour's page",
        ),
        pytest.param(
            head("POST", ("Origin", ORIGIN), ("Sec-Fetch-Site", "cross-site"), *NAVIGATION),
            id="navigation by post",
        ),
        pytest.param(head("GET", ("Sec-Fetch-Site", "future-value")), id="unknown site"),
    ],
)
def test_what_another_page_asks_is_refused_with_a_reason(refused: RequestHead) -> None:
    assert refusal(refused, ORIGIN)


def test_the_own_origin_is_never_read_from_headers() -> None:
    spoofed = head("POST", ("Origin", OTHER), ("Host", "eve-0123456789abcdef.example.org"))
    assert refusal(replace(spoofed, headers=(*spoofed.headers, ("X-Forwarded-Host", OTHER))), ORIGIN)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Connection",
        "Expect",
        "Forwarded",
        "Host",
        "Keep-Alive",
        "Proxy-Authorization",
        "Sec-WebSocket-Key",
        "TE",
        "Transfer-Encoding",
        "Upgrade",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "x_forwarded_proto",
        "X-Goog-Authenticated-User-Email",
        "x-goog-iap-jwt-assertion",
        "X-Inverting-Proxy-User-ID",
        "X-Real-IP",
    ],
)
def test_a_notebook_never_sees(name: str) -> None:
    assert request_headers(((name, "spoofed"), ("Accept", "*/*"))) == (("Accept", "*/*"),)


def test_headers_that_connection_names_are_hop_by_hop() -> None:
    assert request_headers((("Connection", "close, X-Hop"), ("X-Hop", "1"), ("X-Kept", "1"))) == (("X-Kept", "1"),)


def test_only_the_notebooks_own_cookies_reach_it() -> None:
    of_google = "GCP_IAP_UID=u; gcp_iap_x=y; GCP_IAAP_AUTH_TOKEN_1=z"
    cookies = f"a=1; __Host-kupyterhub-session=s; kupyterhub-nonce=n; {of_google}; _xsrf=2"
    assert request_headers((("Cookie", cookies),)) == (("Cookie", "a=1; _xsrf=2"),)
    assert request_headers((("Cookie", "kupyterhub-session=s"),)) == ()


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("/lab?token=secret", "/lab"),
        ("/lab?a=1&token=secret&b=%2F+x", "/lab?a=1&b=%2F+x"),
        ("/lab?%74oken=secret&a", "/lab?a"),
        ("/lab?tokens=1&xtoken=2", "/lab?tokens=1&xtoken=2"),
        ("/a%2Fb%20c?", "/a%2Fb%20c?"),
        ("/a%2Fb", "/a%2Fb"),
    ],
)
def test_the_token_leaves_the_query_and_nothing_else_changes(target: str, kept: str) -> None:
    assert request_target(target) == kept


def test_an_answer_sets_cookies_for_its_own_host_only() -> None:
    answered = (
        ("Set-Cookie", "a=1; Domain=example.org; Path=/; HttpOnly"),
        ("Set-Cookie", "b=2;domain=.example.org"),
        ("Set-Cookie", "__Host-x=1; Secure; Path=/"),
        ("Set-Cookie", "__hOsT-x=1; Secure; Path=/"),
        ("Set-Cookie", "=__Host-x=1; Secure"),
        ("Set-Cookie", "x __Host-x=1; Secure"),
        ("Set-Cookie", "x\u2000__Host-x=1; Secure"),
        ("Set-Cookie", "x,__Host-x"),
        ("Set-Cookie", "kupyterhub-session=stolen"),
        ("Set-Cookie", "c=3; Path=/; SameSite=Lax"),
    )
    assert answer_headers(answered) == (
        ("Set-Cookie", "a=1; Path=/; HttpOnly"),
        ("Set-Cookie", "b=2"),
        ("Set-Cookie", "c=3; Path=/; SameSite=Lax"),
    )


@pytest.mark.parametrize(
    "name",
    [
        "Access-Control-Allow-Origin",
        "access-control-allow-credentials",
        "Connection",
        "Alt-Svc",
        "Clear-Site-Data",
        "Strict-Transport-Security",
    ],
)
def test_a_browser_never_sees(name: str) -> None:
    assert answer_headers(((name, "*"), ("ETag", '"1"'))) == (("ETag", '"1"'),)


def test_offers_of_subprotocols_are_read_in_their_order() -> None:
    assert subprotocols((("Sec-WebSocket-Protocol", "b, a"), ("Sec-WebSocket-Protocol", "c"))) == ("b", "a", "c")
