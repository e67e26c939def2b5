"""How the agent's HTTP client takes what JupyterLab may answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

import pytest

from cluster.carrying.harness import Visit, carrying
from kupyterhub_agent.http_client.connection import MAX_HEAD_BYTES
from kupyterhub_agent.http_client.errors import BadRequest, BrokenOff, HttpError, Unreachable
from kupyterhub_agent.http_client.pool import Pool
from kupyterhub_agent.http_client.request import Request

FINE = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


class Notebook:
    """Answers each request with the next of `answers`, and then closes where it is told so."""

    def __init__(self, *answers: str, close: bool = False) -> None:
        self.answers = list(answers)
        self.close = close
        self.connections = 0
        self.requests: list[str] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = ("127.0.0.1", int(self._server.sockets[0].getsockname()[1]))
        self.pool = Pool()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.pool.close()
        self._server.close()
        await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(self.answers.pop(0).encode("latin-1"))
                await writer.drain()
                if self.close:
                    break
            else:
                await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def ask(self, method: str = "GET", body: AsyncIterator[bytes] | None = None) -> tuple[int, bytes]:
        async with (
            asyncio.timeout(5),
            self.pool.exchange(self.address, Request(method, "/", [("Host", "x")], body)) as answer,
        ):
            status, content = answer.status, b""
            while chunk := await answer.read():
                content += chunk
            return status, content


async def pieces() -> AsyncIterator[bytes]:
    yield b"hel"
    yield b""
    yield b"lo"


async def test_a_connection_is_used_again_after_any_whole_answer() -> None:
    answers = (
        FINE,
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\nTrailer: x\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + FINE,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    )
    async with Notebook(*answers) as notebook:
        assert [await notebook.ask() for _ in range(3)] == [(200, b"fine")] * 3
        assert [await notebook.ask() for _ in range(2)] == [(204, b""), (304, b"")]
        assert notebook.connections == 1


async def test_the_answer_to_head_has_no_body_though_it_says_its_length() -> None:
    async with Notebook("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", FINE) as notebook:
        assert await notebook.ask("HEAD") == (200, b"")
        assert await notebook.ask() == (200, b"fine")
        assert notebook.connections == 1


async def test_an_answer_may_end_with_its_connection() -> None:
    async with Notebook("HTTP/1.0 200 OK\r\n\r\nall of it", close=True) as notebook:
        assert await notebook.ask() == (200, b"all of it")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nhalf", id="shorter than it says"),
        pytest.param("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", id="without its last"),
        pytest.param(
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", id="of two lengths"
        ),
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfour", id="of two numbers"),
        pytest.param("HTTP/1.1 200 OK\nContent-Length: 4\n\nfine", id="with bare line feeds"),
        pytest.param("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 4\r\n\r\nfine", id="with a folded header"),
        pytest.param(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", id="an upgrade"
        ),
        pytest.param("hello\r\n\r\n", id="no HTTP"),
        pytest.param("", id="nothing"),
        pytest.param(f"HTTP/1.1 200 OK\r\nX: {'x' * MAX_HEAD_BYTES}", id="a head without end"),
        pytest.param("HTTP/1.1 103 Hints\r\n\r\n" * 4000, id="interim answers without end"),
    ],
)
async def test_what_cannot_be_used_to_its_end_is_broken_off(answer: str) -> None:
    async with Notebook(answer, close=True) as notebook:
        with pytest.raises(BrokenOff):
            await notebook.ask("POST")


async def test_an_answer_that_nobody_asked_for_is_given_to_nobody() -> None:
    async with Notebook(FINE + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", FINE) as notebook:
        assert await notebook.ask() == (200, b"fine")
        assert await notebook.ask() == (200, b"fine")
        assert notebook.connections == 2


async def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    async with Notebook(FINE, FINE, close=True) as notebook:
        for _ in range(2):
            assert await notebook.ask() == (200, b"fine")
        assert notebook.connections == 2


async def test_a_request_with_a_body_is_never_sent_twice() -> None:
    async with Notebook(FINE, "", FINE, close=False) as notebook:
        assert await notebook.ask() == (200, b"fine")
        notebook.close = True
        with pytest.raises(HttpError):
            await notebook.ask("POST", pieces())
        assert len(notebook.requests) == 2


async def test_a_body_whose_length_is_not_said_goes_in_chunks() -> None:
    bodies = []

    async def taking(visit: Visit) -> None:
        bodies.append(await visit.reader.readuntil(b"0\r\n\r\n"))
        await visit.answer(FINE)

    async with carrying(taking) as carried:
        browser = await carried.browser(
            f"POST / HTTP/1.1\r\nHost: {carried.host}\r\nOrigin: {carried.origin}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        )
        assert (await browser.head()).startswith("HTTP/1.1 200 ")
    assert bodies == [b"5\r\nhello\r\n0\r\n\r\n"]


@pytest.mark.parametrize("header", [("X", "a\r\nY: b"), ("X", "a\rb"), ("X\n", "a"), ("X", "a\0")])
async def test_what_would_be_read_as_something_else_is_not_sent(header: tuple[str, str]) -> None:
    with pytest.raises(BadRequest):
        Request("GET", "/", [header]).head()
    with pytest.raises(BadRequest):
        Request("GET", "/a HTTP/1.1", []).head()


@pytest.mark.parametrize("lengths", [["5"], ["0", "0"], ["+0"], ["0x0"], ["\u0660"]])
async def test_a_length_that_may_be_misread_is_not_sent(lengths: list[str]) -> None:
    with pytest.raises(BadRequest):
        Request("GET", "/", [("Content-Length", length) for length in lengths]).head()


@pytest.mark.parametrize("length", ["4", "6"])
async def test_a_body_of_another_length_than_was_said_ends_its_connection(length: str) -> None:
    async with Notebook(FINE, FINE) as notebook:
        request = Request("POST", "/", [("Host", "x"), ("Content-Length", length)], pieces())
        with contextlib.suppress(BrokenOff):
            async with notebook.pool.exchange(notebook.address, request) as answer:
                while await answer.read():
                    pass
        assert await notebook.ask() == (200, b"fine")
        assert notebook.connections == 2


async def test_where_nothing_listens_there_is_no_connection() -> None:
    async with Notebook() as notebook:
        pass
    with pytest.raises(Unreachable):
        await notebook.ask()


@pytest.mark.parametrize("cut", range(10, 60, 7))
async def test_an_answer_is_the_same_wherever_a_read_ends(cut: int) -> None:
    text = "HTTP/1.1 404 Not Found\r\nContent-Length: 5 \t\r\nX-A: 1\r\n\r\nwrong"

    async def in_two(visit: Visit) -> None:
        await visit.answer(text[:cut])
        await asyncio.sleep(0.05)
        await visit.answer(text[cut:])

    async with carrying(in_two) as carried:
        browser = await carried.get("/", "Connection: close")
        answer = (await browser.rest()).decode()
        assert answer.startswith("HTTP/1.1 404 Not Found\r\n")
        assert "Content-Length: 5\r\n" in answer
        assert answer.endswith("\r\n\r\nwrong")
