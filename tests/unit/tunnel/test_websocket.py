"""A live WebSocket on a transport in memory: its heartbeat, its close, and what it makes of the peer's."""

import asyncio

import pytest

from kupyterhub_tunnel.errors import ConnectionLost, ProtocolError
from kupyterhub_tunnel.websocket import (
    ABNORMAL,
    CLOSE_SECONDS,
    GOING_AWAY,
    NO_CODE,
    PROTOCOL_ERROR,
    Close,
    WebSocket,
)
from kupyterhub_tunnel.websocket_frames import FrameReader, Opcode, Piece, encode
from twins.transport import MemoryTransport

BEAT = 0.02


class Before(asyncio.Protocol):
    """What the transport had before."""

    lost = 0

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost += 1


class Taking:
    """A Receiver that keeps what it gets."""

    wants = 0

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.closes: list[tuple[Close, ProtocolError | None]] = []
        self.writable_again = 0

    def take(self, piece: Piece) -> None:
        self.messages.append(bytes(piece.payload))

    def writable(self) -> None:
        self.writable_again += 1

    def closed(self, close: Close, failure: ProtocolError | None) -> None:
        self.closes.append((close, failure))


class Ends:
    """A client's WebSocket, and what its server would see and say."""

    def __init__(self, heartbeat_seconds: float | None = None, early: bytes = b"") -> None:
        self.before = Before()
        self.transport = MemoryTransport(self.before)
        self.socket = WebSocket(self.transport, client=True, heartbeat_seconds=heartbeat_seconds, early=early)
        self.receiver = Taking()

    def start(self) -> None:
        self.socket.start(self.receiver)

    def say(self, opcode: Opcode, payload: bytes = b"") -> None:
        self.transport.arrive(b"".join(encode(opcode, (payload,), masked=False)))

    @property
    def sent(self) -> list[tuple[Opcode, bytes]]:
        return [
            (opcode, bytes(payload))
            for opcode, payload, _ in FrameReader(masked=True).feed(bytes(self.transport.written))
        ]


async def test_nothing_is_read_before_it_is_started() -> None:
    ends = Ends(early=b"".join(encode(Opcode.TEXT, (b"early",), masked=False)))
    assert not ends.transport.reading
    ends.start()
    assert ends.transport.reading
    assert ends.receiver.messages == [b"early"]


async def test_a_peer_that_says_nothing_is_given_up_after_a_ping() -> None:
    ends = Ends(BEAT)
    ends.start()
    await asyncio.sleep(3 * BEAT)
    assert ends.sent == [(Opcode.PING, b"")]
    assert ends.transport.aborted
    assert ends.receiver.closes == [(Close(ABNORMAL), None)]


async def test_a_peer_that_answers_pings_is_kept() -> None:
    ends = Ends(BEAT)
    ends.start()
    for _ in range(8):
        await asyncio.sleep(BEAT / 2)
        ends.say(Opcode.PONG)
    assert len(ends.sent) >= 2
    assert not ends.transport.is_closing()
    ends.transport.close()


async def test_a_peer_that_is_not_read_from_is_not_given_up() -> None:
    ends = Ends(BEAT)
    ends.start()
    ends.socket.pause()
    await asyncio.sleep(4 * BEAT)
    assert not ends.transport.is_closing()
    ends.socket.resume()
    await asyncio.sleep(BEAT / 2)
    assert not ends.transport.is_closing(), "what it has said meanwhile is still to be read"
    await asyncio.sleep(3 * BEAT)
    assert ends.transport.aborted


async def test_no_heartbeat_goes_on_after_the_end() -> None:
    ends = Ends(BEAT)
    ends.start()
    ends.transport.close()
    await asyncio.sleep(3 * BEAT)
    assert ends.sent == []


async def test_a_ping_is_answered_by_what_it_said() -> None:
    ends = Ends()
    ends.start()
    ends.say(Opcode.PING, b"are you there")
    assert ends.sent == [(Opcode.PONG, b"are you there")]


@pytest.mark.parametrize(
    ("said", "close"),
    [
        pytest.param(b"", Close(NO_CODE), id="without a code"),
        pytest.param(b"\x0f\xa1as you wish", Close(4001, "as you wish"), id="with a code and a reason"),
    ],
)
async def test_a_close_of_the_peers_is_answered_and_is_the_last(said: bytes, close: Close) -> None:
    ends = Ends()
    ends.start()
    ends.say(Opcode.CLOSE, said)
    ends.say(Opcode.TEXT, b"more")
    await asyncio.sleep(0)
    assert ends.sent == [(Opcode.CLOSE, said)]
    assert ends.receiver.closes == [(close, None)]
    assert ends.receiver.messages == []
    assert ends.transport.is_closing()
    assert ends.before.lost == 1


@pytest.mark.parametrize("said", [b"\x03", b"\x03\xed", b"\x00\x01"], ids=["half a code", "1005", "1"])
async def test_a_close_that_is_none_breaks_the_protocol(said: bytes) -> None:
    ends = Ends()
    ends.start()
    ends.say(Opcode.CLOSE, said)
    ((close, failure),) = ends.receiver.closes
    assert close.code == PROTOCOL_ERROR
    assert isinstance(failure, ProtocolError)
    assert ends.sent == [(Opcode.CLOSE, PROTOCOL_ERROR.to_bytes(2, "big"))]
    assert ends.transport.is_closing()


async def test_closing_waits_for_the_peers_close() -> None:
    ends = Ends()
    ends.start()
    closing = asyncio.create_task(ends.socket.close(Close(GOING_AWAY, "é" * 100)))
    await asyncio.sleep(0)
    ((opcode, said),) = ends.sent
    assert opcode == Opcode.CLOSE
    assert said == GOING_AWAY.to_bytes(2, "big") + "é".encode() * 61, "a reason is cut between its letters"
    assert not closing.done()
    ends.say(Opcode.CLOSE, said)
    await asyncio.wait_for(closing, 1)
    assert ends.sent == [(opcode, said)], "one close is enough"


async def test_a_peer_that_never_closes_is_not_waited_for_long() -> None:
    ends = Ends()
    ends.start()
    await asyncio.wait_for(ends.socket.close(Close(GOING_AWAY)), 2 * CLOSE_SECONDS)
    assert ends.transport.aborted


async def test_nothing_is_sent_after_a_close() -> None:
    ends = Ends()
    ends.start()
    ends.say(Opcode.CLOSE)
    with pytest.raises(ConnectionLost):
        ends.socket.send(Opcode.TEXT, (b"late",))
    await ends.socket.close(Close(GOING_AWAY))


async def test_one_that_ended_before_its_start_says_so() -> None:
    ends = Ends()
    ends.transport.close()
    await asyncio.sleep(0)
    ends.start()
    assert ends.receiver.closes == [(Close(ABNORMAL), None)]


async def test_a_peer_that_is_slow_is_waited_for() -> None:
    ends = Ends()
    ends.start()
    ends.socket.pause_writing()
    waiting = asyncio.create_task(ends.socket.room())
    await asyncio.sleep(0)
    assert ends.socket.full
    assert not waiting.done()
    ends.socket.resume_writing()
    await asyncio.wait_for(waiting, 1)
    assert ends.receiver.writable_again == 1


TINY = b"".join(encode(Opcode.BINARY, (b"x",), masked=False))


async def test_what_was_read_waits_as_it_came_while_its_receiver_has_paused() -> None:
    ends = Ends()
    ends.start()
    take = ends.receiver.take

    def take_ten(piece: Piece) -> None:
        take(piece)
        if len(ends.receiver.messages) % 10 == 0:
            ends.socket.pause()

    ends.receiver.take = take_ten  # type: ignore[method-assign]
    ends.transport.arrive(100 * TINY)
    assert len(ends.receiver.messages) == 10
    ends.transport.close()
    await asyncio.sleep(0)
    assert not ends.receiver.closes, "the rest of what it has said is still to come"
    while not ends.receiver.closes:
        ends.socket.resume()
        await asyncio.sleep(0.001)
    assert len(ends.receiver.messages) == 100


async def test_many_small_messages_let_others_have_their_turn() -> None:
    ends = Ends()
    ends.start()
    ends.transport.arrive(3000 * TINY)
    turns = []
    while len(ends.receiver.messages) < 3000:
        turns.append(len(ends.receiver.messages))
        assert not ends.transport.reading
        await asyncio.sleep(0)
    assert len(turns) > 5
    await asyncio.sleep(0)
    assert ends.transport.reading
