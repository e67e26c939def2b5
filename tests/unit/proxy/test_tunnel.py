"""The multiplexed connection, over an in-memory pipe."""

import asyncio
import tracemalloc
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kupyterhub_tunnel.connection import MAX_STREAMS
from kupyterhub_tunnel.errors import ConnectionLost, ProtocolError, StreamReset, TooManyStreams
from kupyterhub_tunnel.flow import FIRST_BYTES, WINDOW_BYTES, Budget, ReceiveBuffer, SendWindow, Windows
from kupyterhub_tunnel.frames import MAX_PAYLOAD_BYTES, Frame, FrameReader, Kind, credit, credit_size
from kupyterhub_tunnel.heads import MAX_HEAD_BYTES, AnswerHead, Headers, RequestHead
from kupyterhub_tunnel.messages import WHOLE_BYTES, Fragment, FragmentReader
from kupyterhub_tunnel.stream import Stream
from kupyterhub_tunnel.websocket_frames import Opcode
from twins.tunnel import MemoryPipe, connected


def asking(target: str) -> RequestHead:
    return RequestHead("GET", target, (), "127.0.0.1", has_body=True)


def answering(reason: str) -> AnswerHead:
    return AnswerHead(200, reason, ())


async def echo(stream: Stream) -> None:
    await stream.send_head(answering(stream.opening.target))
    async for chunk in stream.chunks():
        await stream.write(chunk)
    await stream.end()


async def never(_: Stream) -> None:
    await asyncio.Event().wait()


FRAMES = st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=200))


@given(st.lists(FRAMES, min_size=1), st.integers(1, 300))
def test_frames_survive_the_wire_however_it_cuts_them(frames: list[Frame], size: int) -> None:
    wire = b"".join(frame.header() + frame.payload for frame in frames)
    reader = FrameReader()
    read = [frame for at in range(0, len(wire), size) for frame in reader.feed(wire[at : at + size])]
    assert _joined(read) == _joined(frames)


def _joined(frames: list[Frame]) -> list[Frame]:
    """DATA of one stream may come in other pieces than it was sent."""
    joined: list[Frame] = []
    for frame in frames:
        if joined and joined[-1].kind is frame.kind is Kind.DATA and joined[-1].stream == frame.stream:
            joined[-1] = Frame(frame.kind, frame.stream, joined[-1].payload + frame.payload)
        else:
            joined.append(frame)
    return joined


@pytest.mark.parametrize(
    "wire",
    [b"\x63" + bytes(8), b"\x01" + bytes(4) + (MAX_PAYLOAD_BYTES + 1).to_bytes(4, "big")],
    ids=["kind", "a head too large to hold"],
)
def test_what_is_no_frame_is_a_protocol_error(wire: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(FrameReader().feed(wire))


def test_credit_survives_the_wire() -> None:
    assert credit_size(credit(7, 12345)) == 12345


def test_heads_survive_the_wire_with_bytes_that_are_no_utf8() -> None:
    request = RequestHead("GET", "/a%2Fb", (("X", "caf\udce9"), ("X", "2")), "::1", has_body=True)
    assert RequestHead.decode(request.encode()) == request
    answer = AnswerHead(101, "Switching Protocols", (), "v1.kernel")
    assert AnswerHead.decode(answer.encode()) == answer


@pytest.mark.parametrize("payload", [b"", b"GET\n/", b"GET\n/\n::1\n\nada\nX-A"], ids=["none", "short", "no value"])
def test_a_head_that_is_none_is_a_protocol_error(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        RequestHead.decode(payload)
    with pytest.raises(ProtocolError):
        AnswerHead.decode(payload)


@pytest.mark.parametrize(
    "headers",
    [(("X", "1\nHost: evil"),), (("X\n", "1"),), (("X", "1" * MAX_HEAD_BYTES),)],
    ids=["value", "name", "size"],
)
def test_a_head_that_cannot_be_carried_never_leaves(headers: Headers) -> None:
    with pytest.raises(ProtocolError):
        AnswerHead(200, "OK", headers).encode()


async def test_frames_that_are_ready_together_go_in_one_message() -> None:
    async def answer(stream: Stream) -> None:
        await stream.send_head(answering("fine"))
        await stream.write(b"all of it")
        await stream.end()

    async with connected(answer) as (opening, serving):
        streams = [await opening.open(RequestHead("GET", "/", (), "")) for _ in range(3)]
        for stream in streams:
            assert await stream.head() == answering("fine")
            assert [chunk async for chunk in stream.chunks()] == [b"all of it"]
            assert stream.finished
        pipes = (opening._pipe, serving._pipe)
        assert [len(pipe.sent) for pipe in pipes if isinstance(pipe, MemoryPipe)] == [1, 1]


async def test_what_was_sent_before_the_end_still_arrives() -> None:
    heard: list[dict[str, Any]] = []

    async def hear(message: dict[str, Any]) -> None:
        heard.append(message)

    async with connected(never, hear) as (_, serving):
        await serving.info({"last": "word"})
        await serving.close()
        await asyncio.sleep(0.01)
    assert heard == [{"last": "word"}]


async def test_a_stream_carries_head_and_body_both_ways() -> None:
    body = bytes(range(256)) * 20_000  # ten windows
    async with connected(echo) as (opening, _):
        stream = await opening.open(asking("/hello"))

        async def send() -> None:
            await stream.write(body)
            await stream.end()

        sending = asyncio.create_task(send())
        assert await stream.head() == answering("/hello")
        assert b"".join([chunk async for chunk in stream.chunks()]) == body
        await sending
        assert stream.finished


async def test_a_slow_reader_stops_its_sender_and_nobody_else() -> None:
    sent = 0

    async def flood(stream: Stream) -> None:
        nonlocal sent
        if stream.opening.target == "/small":
            await echo(stream)
            return
        while True:
            await stream.write(b"x" * 4096)
            sent += 4096

    async with connected(flood) as (opening, _):
        slow = await opening.open(asking("/flood"))
        await asyncio.sleep(0.05)
        assert sent == FIRST_BYTES
        other = await opening.open(asking("/small"))
        await other.write(b"quick")
        await other.end()
        assert [chunk async for chunk in other.chunks()] == [b"quick"]
        consumed = 0
        while consumed < 4 * WINDOW_BYTES:
            consumed += len(await slow.read())
        await asyncio.sleep(0.05)
        assert consumed + FIRST_BYTES < sent <= consumed + WINDOW_BYTES


async def test_a_reset_cancels_the_one_who_serves() -> None:
    cancelled = asyncio.Event()

    async def wait(_: Stream) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with connected(wait) as (opening, _):
        stream = await opening.open(asking("/"))
        await asyncio.sleep(0.01)
        await stream.release()
        await asyncio.wait_for(cancelled.wait(), 1)


async def test_a_server_that_fails_resets_its_stream_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(stream: Stream) -> None:
        if stream.opening.target == "/fail":
            raise RuntimeError("a mistake")
        await echo(stream)

    async with connected(fail) as (opening, _):
        failing = await opening.open(asking("/fail"))
        with pytest.raises(StreamReset):
            await failing.head()
        assert "a mistake" in caplog.text
        assert await (await opening.open(asking("/fine"))).head() == answering("/fine")


async def test_an_early_answer_stays_readable_though_the_upload_is_refused() -> None:
    async def refuse(stream: Stream) -> None:
        await stream.send_head(AnswerHead(413, "", ()))
        await stream.write(b"too large")
        await stream.end()

    async with connected(refuse) as (opening, _):
        stream = await opening.open(asking("/"))
        with pytest.raises(StreamReset):
            await stream.write(b"x" * (2 * WINDOW_BYTES))
        assert (await stream.head()).status == 413
        assert [chunk async for chunk in stream.chunks()] == [b"too large"]


async def test_the_end_of_the_connection_wakes_everybody() -> None:
    async with connected(never) as (opening, _):
        stream = await opening.open(asking("/"))
        waiting = asyncio.create_task(stream.read())
        await asyncio.sleep(0)
        await opening.close()
        with pytest.raises(ConnectionLost):
            await waiting
        with pytest.raises(ConnectionLost):
            await opening.open(asking("/"))


async def test_a_stream_that_is_released_is_forgotten_by_both() -> None:
    async with connected(never) as (opening, serving):
        stream = await opening.open(asking("/"))
        await asyncio.sleep(0.01)
        assert len(opening._streams) == len(serving._streams) == 1
        await stream.release()
        await asyncio.sleep(0.01)
        assert not opening._streams
        assert not serving._streams
        assert not serving._tasks


async def test_streams_at_once_are_bounded() -> None:
    async with connected(never) as (opening, _):
        for _ in range(MAX_STREAMS):
            stream = await opening.open(asking("/"))
        with pytest.raises(TooManyStreams):
            await opening.open(asking("/"))
        await stream.release()
        await opening.open(asking("/"))


async def test_the_opener_serves_nobody() -> None:
    async with connected(never) as (opening, serving):
        with pytest.raises(ProtocolError):
            opening._receive(Frame(Kind.OPEN, 1, asking("/").encode()))
        assert serving is not opening


async def test_info_arrives_in_order() -> None:
    heard: list[dict[str, Any]] = []

    async def hear(message: dict[str, Any]) -> None:
        heard.append(message)

    async with connected(never, hear) as (_, serving):
        await serving.info({"n": 1})
        await serving.info({"n": 2})
        await asyncio.sleep(0.01)
    assert heard == [{"n": 1}, {"n": 2}]


def receiving(budget: Budget, first: int = FIRST_BYTES) -> ReceiveBuffer:
    return ReceiveBuffer(Windows(budget, first), "ada")


def consume(buffer: ReceiveBuffer, size: int) -> int:
    """Let bytes come and be consumed; give the window that the sender then has."""
    window = free = FIRST_BYTES
    while size > 0:
        buffer.feed(bytes(free))
        size -= free
        while buffer.take() is not None:
            pass
        free = buffer.grant()
        window = max(window, free)
    return window


def test_a_window_grows_while_what_comes_is_consumed_and_the_memory_lasts() -> None:
    budget = Budget(together=2 * WINDOW_BYTES, each=2 * WINDOW_BYTES)
    buffers = [receiving(budget) for _ in range(4)]
    windows = [consume(buffer, 8 * WINDOW_BYTES) for buffer in buffers]
    assert windows[:2] == [WINDOW_BYTES, WINDOW_BYTES]
    assert sum(window - FIRST_BYTES for window in windows) <= 2 * WINDOW_BYTES
    buffers[0].release()
    assert consume(receiving(budget), 8 * WINDOW_BYTES) > WINDOW_BYTES // 2


def test_one_person_leaves_memory_to_others() -> None:
    budget = Budget(together=4 * WINDOW_BYTES, each=WINDOW_BYTES)
    hers = [consume(receiving(budget), 8 * WINDOW_BYTES) for _ in range(8)]
    assert sum(window - FIRST_BYTES for window in hers) <= WINDOW_BYTES
    assert consume(ReceiveBuffer(Windows(budget), "bob"), 8 * WINDOW_BYTES) == WINDOW_BYTES


def test_a_peer_that_knows_no_small_windows_begins_with_the_largest() -> None:
    buffer = receiving(Budget(), WINDOW_BYTES)
    buffer.feed(b"x" * WINDOW_BYTES)
    assert len(buffer.take() or b"") == WINDOW_BYTES
    assert buffer.grant() == WINDOW_BYTES


def test_data_beyond_the_credit_is_a_protocol_error() -> None:
    buffer = receiving(Budget())
    buffer.feed(b"x" * FIRST_BYTES)
    with pytest.raises(ProtocolError):
        buffer.feed(b"x")


def test_credit_for_what_was_never_sent_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        SendWindow().give(WINDOW_BYTES)


async def test_websocket_messages_keep_type_and_bounds_over_a_stream() -> None:
    messages = [
        Fragment(Opcode.TEXT, "é".encode()),
        Fragment(Opcode.BINARY, b""),
        Fragment(Opcode.BINARY, b"x" * 10**4),
    ]

    async with connected(echo) as (opening, _):
        stream = await opening.open(asking("/"))

        async def send() -> None:
            for message in [*messages, Fragment.close(4001, "enough")]:
                await stream.write(message.encode())
            await stream.end()

        sending = asyncio.create_task(send())
        reader, read = FragmentReader(), []
        async for chunk in stream.chunks():
            read += reader.feed(chunk)
        assert read[:-1] == messages
        assert read[-1].close_code() == (4001, "enough")
        await sending


def test_a_message_comes_once_it_is_whole() -> None:
    message = Fragment(Opcode.TEXT, b"hello")
    wire = message.encode()
    reader = FragmentReader()
    assert [list(reader.feed(wire[at : at + 1])) for at in range(len(wire))] == [[]] * (len(wire) - 1) + [[message]]


async def test_what_comes_in_small_pieces_takes_little_more_than_it_is() -> None:
    buffer, pieces = receiving(Budget(), WINDOW_BYTES), WINDOW_BYTES // 2
    tracemalloc.start()
    for number in range(pieces):
        buffer.feed(number.to_bytes(4, "big")[2:])
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 2 * WINDOW_BYTES
    buffer.end()
    read = b"".join([bytes(chunk) for chunk in iter(lambda: buffer.take() or None, None)])
    assert read == b"".join(number.to_bytes(4, "big")[2:] for number in range(pieces))


@pytest.mark.parametrize("sizes", [(1,), (4, 1), (WHOLE_BYTES,), (WHOLE_BYTES + 1, 7), (3 * WHOLE_BYTES,)])
@pytest.mark.parametrize("length", [0, 1, WHOLE_BYTES, WHOLE_BYTES + 1, 2 * WHOLE_BYTES])
def test_messages_in_fragments_are_the_same_in_whatever_pieces_they_come(length: int, sizes: tuple[int, ...]) -> None:
    if sizes == (1,) and length > 1:
        length = 300
    body = bytes(range(256)) * (length // 256 + 1)
    fragments = [
        Fragment(Opcode.TEXT, body[:length], final=False),
        Fragment(Opcode.CONTINUATION, body[:length], final=False),
        Fragment(Opcode.CONTINUATION, body[:1]),
        Fragment(Opcode.BINARY, body[:length]),
    ]
    wire, reader, read, at, pieces = (
        b"".join(each.encode() for each in fragments),
        FragmentReader(),
        [],
        0,
        cycle(sizes),
    )
    while at < len(wire):
        size = next(pieces)
        read += [(each.opcode, bytes(each.content), each.final) for each in reader.feed(wire[at : at + size])]
        at += size

    messages, parts = [], []
    for opcode, content, final in read:
        assert (opcode is Opcode.CONTINUATION) is bool(parts)
        parts.append((opcode, content))
        if final:
            messages.append((parts[0][0], b"".join(content for _, content in parts)))
            parts = []
    assert messages == [(Opcode.TEXT, body[:length] * 2 + body[:1]), (Opcode.BINARY, body[:length])]


@pytest.mark.parametrize(
    "wire",
    [
        b"\x00\0\0\0\1a",
        b"\x81\0\0\0\1a\x01\0\0\0\1a",
        b"\x88\0\0\0\2\3\xe8",
        b"\x08\0\0\0\x7e" + bytes(126),
        b"\x09\0\0\0\0",
        b"\x03\0\0\0\0",
    ],
    ids=["nothing to continue", "one in another", "a close in parts", "a long close", "a ping", "unknown"],
)
def test_fragments_that_make_no_message_are_refused(wire: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(FragmentReader().feed(wire))


async def test_an_answer_that_has_arrived_whole_outlives_its_connection() -> None:
    async def serve(stream: Stream) -> None:
        await stream.send_head(answering("OK"))
        await stream.write(b"at last")
        await stream.end()

    async with connected(serve) as (opener, server):
        stream = await opener.open(RequestHead("GET", "/", (), "127.0.0.1"))
        while not stream.finished:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        await server.close()
        await asyncio.sleep(0.05)
        assert (await stream.head()).reason == "OK"
        assert await stream.read() == b"at last"
        assert await stream.read() == b""
        await stream.release()


NESTED = b"[" * 200_000


async def test_a_stream_that_is_opened_and_reset_in_one_read_is_forgotten() -> None:
    async with connected(never) as (_, serving):
        serving._receive(Frame(Kind.OPEN, 7, asking("/").encode()))
        serving._receive(Frame(Kind.RESET, 7, b"gone"))
        await asyncio.sleep(0.01)
        assert not serving._streams
        assert not serving._tasks


async def test_info_that_is_nested_without_end_is_a_protocol_error() -> None:
    async with connected(never) as (_, serving):
        with pytest.raises(ProtocolError):
            serving._take(b"".join(part for part in (Frame(Kind.INFO, 0, NESTED).header(), NESTED)))
