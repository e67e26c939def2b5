"""The agent's scripts in the notebook's pages."""

import pytest

from kupyterhub_agent import markup
from kupyterhub_agent.injection import Injection, acceptable
from kupyterhub_agent.markup import LONGEST_PREAMBLE
from kupyterhub_tunnel.heads import AnswerHead, Headers, RequestHead

SCRIPT = "<script src=x></script>"
PAGE = {"Content-Type": "text/html; charset=utf-8"}
ASKED = {"Accept": "text/html,*/*"}


def asked(method: str = "GET", **headers: str) -> RequestHead:
    return RequestHead(method, "/lab", pairs({**ASKED, **headers}), "")


def answered(status: int = 200, **headers: str) -> AnswerHead:
    return AnswerHead(status, "OK", pairs({**PAGE, **headers}))


def pairs(headers: dict[str, str]) -> Headers:
    return tuple((name.replace("_", "-"), value) for name, value in headers.items())


def through(page: bytes, size: int = 1 << 20, **headers: str) -> bytes:
    injection = Injection.of(asked(), answered(**headers), [SCRIPT])
    assert injection is not None
    chunks = [page[start : start + size] for start in range(0, len(page), size)]
    return b"".join(injection.feed(chunk) for chunk in chunks) + injection.finish()


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("<html><head>@<title>t</title></head></html>", id="plain"),
        pytest.param("<!DOCTYPE HTML>\n<HTML lang=en>\n<HEAD\n data-x='a>b'>@<script></script>", id="capitals"),
        pytest.param("\ufeff <!-- <head> -->\n<!doctype html><head/>@", id="comment-and-mark"),
        pytest.param('<html data-x="<head>" data-y=">">@<body>b</body>', id="no-head"),
        pytest.param("<!doctype html>@<header>h</header>", id="header-is-no-head"),
        pytest.param("@<h1>hello</h1>", id="fragment"),
        pytest.param("@hello", id="text"),
        pytest.param("<?xml version='1.0'?><html>@<script>a</script><head></head>", id="script-first"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_scripts_go_first_in_the_head_wherever_the_page_is_split(page: str, size: int) -> None:
    assert through(page.replace("@", "").encode(), size) == page.replace("@", SCRIPT).encode()


def test_scripts_go_in_once() -> None:
    assert through(b"<head></head><head></head>", 3).count(SCRIPT.encode()) == 1


def test_a_page_without_a_beginning_is_not_held_back_for_ever() -> None:
    page = b"<!--" + b"x" * (LONGEST_PREAMBLE + 10)
    injection = Injection.of(asked(), answered(), [SCRIPT])
    assert injection is not None
    assert injection.feed(page) == page
    assert injection.feed(b"--><head>") == b"--><head>"


@pytest.mark.parametrize("page", [b"", b"<", b"<he", b"<!-- never closed <head>"])
def test_what_ends_too_early_passes_whole(page: bytes) -> None:
    assert through(page, 1) == page


def test_a_page_that_streams_is_seen_as_it_comes() -> None:
    injection = Injection.of(asked(), answered(), [SCRIPT])
    assert injection is not None
    assert injection.feed(b"<head><p>one").endswith(b"<p>one")
    assert injection.feed(b"<p>two") == b"<p>two"


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_long_beginning_in_small_pieces_is_looked_at_seldom(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    looks: list[int] = []
    look = markup._place
    monkeypatch.setattr(markup, "_place", lambda page: looks.append(len(page)) or look(page))
    page = b"<!--" + b"x" * (LONGEST_PREAMBLE - 100) + b"--><head>"

    assert through(page, size) == page + SCRIPT.encode()
    assert sum(looks) < 3 * LONGEST_PREAMBLE


@pytest.mark.parametrize(
    ("request_head", "answer"),
    [
        pytest.param(asked("HEAD"), answered(), id="head"),
        pytest.param(asked("POST"), answered(), id="post"),
        pytest.param(asked(Range="bytes=0-1"), answered(), id="range"),
        pytest.param(asked(Accept="*/*"), answered(), id="fetched"),
        pytest.param(asked(Sec_Fetch_Dest="empty"), answered(), id="fetched-over-tls"),
        pytest.param(asked(), answered(404), id="not-found"),
        pytest.param(asked(), answered(206), id="part"),
        pytest.param(asked(), answered(304), id="not-modified"),
        pytest.param(asked(), answered(**{"Content-Type": "application/json"}), id="json"),
        pytest.param(asked(), answered(**{"Content-Type": "text/html; charset=UTF-16"}), id="utf-16"),
        pytest.param(asked(), answered(Content_Disposition="attachment; filename=a.html"), id="download"),
        pytest.param(asked(), answered(Content_Encoding="br"), id="brotli"),
        pytest.param(asked(), answered(Content_Encoding="gzip"), id="gzipped, though nobody asked for it"),
        pytest.param(asked(), answered(Content_Encoding="gzip, br"), id="twice-encoded"),
    ],
)
def test_everything_but_a_page_that_is_shown_passes_untouched(request_head: RequestHead, answer: AnswerHead) -> None:
    assert Injection.of(request_head, answer, [SCRIPT]) is None


def test_without_scripts_nothing_is_touched() -> None:
    assert Injection.of(asked(), answered(), []) is None


def test_the_head_says_nothing_of_the_bytes_that_were_there_before() -> None:
    answer = answered(Content_Length="10", ETag='"1"', Set_Cookie="a=1", Content_Security_Policy="script-src 'self'")
    injection = Injection.of(asked(), answer, [SCRIPT])
    assert injection is not None
    assert {name for name, _ in injection.head.headers} == {"Content-Type", "Set-Cookie", "Content-Security-Policy"}


@pytest.mark.parametrize("offered", ["gzip, deflate, br, zstd", "br", ""])
def test_a_page_is_asked_for_as_it_is(offered: str) -> None:
    assert dict(acceptable(asked(Accept_Encoding=offered)))["Accept-Encoding"] == "identity"


def test_what_is_no_page_keeps_its_encodings() -> None:
    head = asked(Accept="*/*", Accept_Encoding="br")
    assert acceptable(head) == head.headers
