"""The wire format of google/inverting-proxy: HTTP/1.1 messages carried in the bodies of others.

The vectors are written from RFC 9112 and from what Go's net/http reads and writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.heads import AnswerHead, RequestHead
from kupyterhub_tunnel.wire import MAX_HEAD_BYTES, AnswerWriter, RequestWriter, read_answer, read_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_tunnel.wire import Body

GET = RequestHead("GET", "/a%2Fb?x=%C3%A9&&y", (("Accept", "*/*"), ("X-Twice", "1"), ("X-Twice", "2")), "10.0.0.1")
PIECES = [1, 3, 7, 100_000]


async def source(data: bytes, piece: int = 100_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), piece):
        yield data[start : start + piece]


async def whole(body: Body) -> bytes:
    return b"".join([chunk async for chunk in body])


def request_bytes(head: RequestHead, *chunks: bytes) -> bytes:
    writer = RequestWriter()
    return writer.head(head, "ada.example.org") + b"".join(map(writer.data, chunks)) + writer.end()


def answer_bytes(head: AnswerHead, *chunks: bytes) -> bytes:
    writer = AnswerWriter()
    return writer.head(head) + b"".join(map(writer.data, chunks)) + writer.end()


def test_a_request_without_a_body_is_written_as_http() -> None:
    assert request_bytes(GET) == (
        b"GET /a%2Fb?x=%C3%A9&&y HTTP/1.1\r\nHost: ada.example.org\r\nAccept: */*\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
    )


def test_a_body_of_known_length_keeps_it() -> None:
    head = RequestHead("POST", "/", (("content-length", "5"), ("X", "1")), "", has_body=True)
    assert request_bytes(head, b"he", b"llo") == (
        b"POST / HTTP/1.1\r\nHost: ada.example.org\r\nX: 1\r\ncontent-length: 5\r\n\r\nhello"
    )


def test_a_body_of_unknown_length_is_chunked() -> None:
    head = RequestHead("PUT", "/", (), "", has_body=True)
    assert request_bytes(head, b"he", b"llo") == (
        b"PUT / HTTP/1.1\r\nHost: ada.example.org\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    )


def test_a_request_has_the_host_that_it_is_given_and_no_other() -> None:
    head = RequestHead("GET", "/", (("Host", "evil.example"), ("Connection", "x"), ("Upgrade", "y")), "")
    assert request_bytes(head) == b"GET / HTTP/1.1\r\nHost: ada.example.org\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(RequestHead("GET", "/a b", (), ""), id="space in target"),
        pytest.param(RequestHead("GET", "/\r\nX: 1", (), ""), id="line in target"),
        pytest.param(RequestHead("GET", "/", (("X", "1\r\nY: 2"),), ""), id="line in value"),
        pytest.param(RequestHead("GET", "/", (("X Y", "1"),), ""), id="space in name"),
        pytest.param(
            RequestHead("GET", "/", (("Content-Length", "1"), ("Content-Length", "2")), ""), id="two lengths"
        ),
        pytest.param(RequestHead("G T", "/", (), ""), id="method"),
    ],
)
def test_what_is_no_request_is_not_written(head: RequestHead) -> None:
    with pytest.raises(ProtocolError):
        request_bytes(head)


def test_a_body_shorter_or_longer_than_its_length_is_an_error() -> None:
    head = RequestHead("POST", "/", (("Content-Length", "5"),), "", has_body=True)
    with pytest.raises(ProtocolError):
        request_bytes(head, b"four")
    with pytest.raises(ProtocolError):
        request_bytes(head, b"sixsix")


@pytest.mark.parametrize("piece", PIECES)
async def test_a_request_of_gos_is_read_however_it_is_cut(piece: int) -> None:
    sent = (
        b"POST /api/x?y=1 HTTP/1.1\r\nHost: ada.example.org\r\nUser-Agent: Mozilla/5.0\r\n"
        b"Transfer-Encoding: chunked\r\nCookie: a=1\r\nTrailer: X-Sum\r\n\r\n"
        b"5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Sum: 42\r\n\r\n"
    )
    head, body = await read_request(source(sent, piece), "10.0.0.1")
    assert (head.method, head.target, head.client, head.has_body) == ("POST", "/api/x?y=1", "10.0.0.1", True)
    assert ("Cookie", "a=1") in head.headers
    assert await whole(body) == b"hello world"
    assert body.trailers == (("X-Sum", "42"),)


@pytest.mark.parametrize(
    ("framing", "has_body"), [(b"", False), (b"Content-Length: 0\r\n", False), (b"Content-Length: 2\r\n", True)]
)
async def test_a_request_says_whether_it_has_a_body(framing: bytes, has_body: bool) -> None:  # noqa: FBT001
    head, body = await read_request(source(b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\nhi"))
    assert head.has_body is has_body
    assert await whole(body) == (b"hi" if has_body else b"")


@pytest.mark.parametrize("piece", PIECES)
async def test_a_request_comes_back_as_it_was_written(piece: int) -> None:
    head, body = await read_request(source(request_bytes(GET), piece), GET.client)
    assert head == RequestHead("GET", GET.target, (("Host", "ada.example.org"), *GET.headers), GET.client)
    assert await whole(body) == b""


async def test_bytes_that_are_no_utf8_come_back_as_they_were() -> None:
    head, _ = await read_request(source(request_bytes(RequestHead("GET", "/", (("X", "\udcff\u00e9"),), ""))))
    assert head.headers[1] == ("X", "\udcff\u00e9")


def test_an_answer_is_chunked_whatever_length_it_had() -> None:
    head = AnswerHead(200, "OK", (("Content-Length", "5"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")))
    assert answer_bytes(head, b"hello") == (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n0\r\n\r\n"
    )


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_can_have_no_body_is_not_framed(status: int) -> None:
    assert (
        answer_bytes(AnswerHead(status, "Fine", (("ETag", "x"),)))
        == f"HTTP/1.1 {status} Fine\r\nETag: x\r\n\r\n".encode()
    )


def test_an_answers_trailers_follow_its_body() -> None:
    writer = AnswerWriter()
    writer.head(AnswerHead(200, "", ()))
    assert writer.end((("X-Sum", "42"),)) == b"0\r\nX-Sum: 42\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(AnswerHead(101, "Switching Protocols", ()), id="101"),
        pytest.param(AnswerHead(200, "O\r\nK", ()), id="line in reason"),
        pytest.param(AnswerHead(200, "OK", (("X", "1\nY: 2"),)), id="line in value"),
    ],
)
def test_what_is_no_answer_is_not_written(head: AnswerHead) -> None:
    with pytest.raises(ProtocolError):
        answer_bytes(head)


@pytest.mark.parametrize("piece", PIECES)
async def test_an_answer_of_gos_is_read_however_it_is_cut(piece: int) -> None:
    sent = (
        b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n"
    )
    head, body = await read_answer(source(sent, piece), "GET")
    assert (head.status, head.reason) == (201, "Created")
    assert head.headers[:3] == (("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
    assert await whole(body) == b"hello"
    assert body.trailers == (("X-Sum", "42"),)


async def test_an_answer_to_head_has_no_body_though_gos_agent_ends_one() -> None:
    sent = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    head, body = await read_answer(source(sent, 3), "HEAD")
    assert head.status == 200
    assert await whole(body) == b""


async def test_answers_that_only_inform_are_passed_over() -> None:
    sent = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    head, body = await read_answer(source(sent), "GET")
    assert head.status == 200
    assert await whole(body) == b"hi"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: 1", id="half a head"),
        pytest.param(b"junk\r\n\r\n", id="no status line"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", id="unasked upgrade"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="other coding"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="both framings"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD_BYTES, id="endless head"),
    ],
)
async def test_what_is_no_answer_is_refused(sent: bytes) -> None:
    with pytest.raises(ProtocolError):
        await read_answer(source(sent), "GET")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", id="two hosts"),
        pytest.param(b"GET /\r\n\r\n", id="HTTP/0.9"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            id="both framings",
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", id="space before the colon"),
    ],
)
async def test_what_is_no_request_is_refused(sent: bytes) -> None:
    with pytest.raises(ProtocolError):
        await read_request(source(sent))


@pytest.mark.parametrize(
    "framed",
    [
        pytest.param(b"Content-Length: 10\r\n\r\nhalf", id="length"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", id="chunked"),
        pytest.param(b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n", id="no size"),
    ],
)
async def test_a_body_that_is_cut_short_is_an_error(framed: bytes) -> None:
    _, body = await read_answer(source(b"HTTP/1.1 200 OK\r\n" + framed), "GET")
    with pytest.raises(ProtocolError):
        await whole(body)
