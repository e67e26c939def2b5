"""A WebSocket joined to a stream of the tunnel, both in memory: what passes, and how each side ends the other."""

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.flow import FIRST_BYTES, WINDOW_BYTES
from kupyterhub_tunnel.heads import RequestHead
from kupyterhub_tunnel.messages import WHOLE_BYTES, Fragment, FragmentReader
from kupyterhub_tunnel.relay import relay
from kupyterhub_tunnel.stream import Stream
from kupyterhub_tunnel.websocket import ABNORMAL, GOING_AWAY, OK, WebSocket
from kupyterhub_tunnel.websocket_frames import FrameReader, Opcode, encode
from twins.transport import MemoryTransport
from twins.tunnel import connected

MIB = 1024 * 1024
FRAME_BYTES = 256 * 1024


@dataclass
class Joined:
    """The server's half: its browser is raw, its agent's end of the stream is here."""

    transport: MemoryTransport
    socket: WebSocket
    stream: Stream
    agent: Connection
    relaying: asyncio.Task[None]

    def say(self, opcode: Opcode, payload: bytes = b"") -> None:
        self.transport.arrive(b"".join(encode(opcode, (payload,), masked=True)))

    @property
    def seen(self) -> list[tuple[Opcode, bytes]]:
        """What the browser was sent."""
        return [
            (piece.opcode, bytes(piece.payload))
            for piece in FrameReader(masked=False).feed(bytes(self.transport.written))
        ]

    async def message(self) -> Fragment:
        """The next one that the agent gets; they come one at a time here."""
        return next(iter(FragmentReader().feed(await asyncio.wait_for(self.stream.read(), 1))))


@contextlib.asynccontextmanager
async def joined() -> AsyncIterator[Joined]:
    opened: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def serve(stream: Stream) -> None:
        opened.set_result(stream)
        await done.wait()

    async with connected(serve) as (opening, agent):
        stream = await opening.open(RequestHead("GET", "/", (), "", websocket=True))
        transport = MemoryTransport(asyncio.Protocol())
        socket = WebSocket(transport, client=False, heartbeat_seconds=None)
        relaying = asyncio.create_task(relay(socket, stream))
        try:
            yield Joined(transport, socket, await opened, agent, relaying)
        finally:
            transport.close()
            done.set()
            await asyncio.wait({relaying}, timeout=1)
            assert relaying.done()
            await stream.release()


async def test_messages_pass_both_ways_in_the_turn_in_which_they_came() -> None:
    async with joined() as ends:
        ends.say(Opcode.TEXT, b"up")
        assert await ends.message() == Fragment(Opcode.TEXT, b"up")
        await ends.stream.write(Fragment(Opcode.BINARY, b"down").encode() + Fragment(Opcode.TEXT, b"").encode())
        await asyncio.sleep(0.01)
        assert ends.seen == [(Opcode.BINARY, b"down"), (Opcode.TEXT, b"")]


async def test_a_close_of_the_browsers_is_told_and_waited_for() -> None:
    async with joined() as ends:
        ends.say(Opcode.CLOSE, (4001).to_bytes(2, "big") + b"enough")
        assert (await ends.message()).close_code() == (4001, "enough")
        await asyncio.sleep(0.01)
        assert not ends.relaying.done(), "the notebook closes its own WebSocket now"
        await ends.stream.end()
        await asyncio.wait_for(ends.relaying, 1)
        assert ends.seen == [(Opcode.CLOSE, (4001).to_bytes(2, "big") + b"enough")]


async def test_a_browser_that_vanishes_is_said_to_be_going_away() -> None:
    async with joined() as ends:
        ends.transport.close()
        assert (await ends.message()).close_code() == (GOING_AWAY, "")
        await ends.stream.end()


async def test_a_close_of_the_notebooks_is_the_last_that_the_browser_sees() -> None:
    async with joined() as ends:
        await ends.stream.write(
            Fragment.close(4321, "as you wish").encode() + Fragment(Opcode.TEXT, b"late").encode()
        )
        await asyncio.sleep(0.01)
        assert ends.seen == [(Opcode.CLOSE, (4321).to_bytes(2, "big") + b"as you wish")]
        ends.say(Opcode.TEXT, b"ignored")
        ends.say(Opcode.CLOSE, (4321).to_bytes(2, "big"))
        await asyncio.wait_for(ends.relaying, 1)


@pytest.mark.parametrize(("said", "seen"), [(1005, OK), (ABNORMAL, GOING_AWAY)])
async def test_codes_that_are_never_sent_become_ones_that_are(said: int, seen: int) -> None:
    async with joined() as ends:
        await ends.stream.write(Fragment.close(said, "").encode())
        await asyncio.sleep(0.01)
        assert ends.seen == [(Opcode.CLOSE, seen.to_bytes(2, "big"))]


async def test_the_loss_of_the_stream_closes_the_browsers_websocket() -> None:
    async with joined() as ends:
        await ends.stream.reset("the agent gives up")
        await asyncio.sleep(0.01)
        assert ends.seen == [(Opcode.CLOSE, (1011).to_bytes(2, "big"))]


async def test_the_loss_of_the_connection_closes_the_browsers_websocket() -> None:
    async with joined() as ends:
        await ends.agent.close()
        await asyncio.sleep(0.01)
        ((opcode, said),) = ends.seen
        assert opcode == Opcode.CLOSE
        assert int.from_bytes(said, "big") in {GOING_AWAY, 1011}


async def test_no_message_is_too_large_and_nothing_of_it_is_gathered() -> None:
    async with joined() as ends:
        size = 70 * MIB
        ends.transport.arrive(b"\x82\xff" + size.to_bytes(8, "big") + bytes(4))
        reader, sent, got = FragmentReader(), 0, 0
        while got < size:
            while sent < size and ends.transport.reading:
                ends.transport.arrive(bytes(FRAME_BYTES))
                sent += FRAME_BYTES
            assert sent - got <= WINDOW_BYTES + FRAME_BYTES
            got += sum(len(each.content) for each in reader.feed(await asyncio.wait_for(ends.stream.read(), 1)))
        await ends.stream.end()


async def test_a_large_message_reaches_the_browser_as_it_comes() -> None:
    async with joined() as ends:
        sent = bytes(range(256)) * (WHOLE_BYTES // 128)
        wire = Fragment(Opcode.TEXT, sent).encode()
        await ends.stream.write(wire[: WHOLE_BYTES + 5])
        await asyncio.sleep(0.01)
        begun = ends.transport.written[0]
        assert begun == Opcode.TEXT, "it is not the last fragment"
        await ends.stream.write(wire[WHOLE_BYTES + 5 :])
        await asyncio.sleep(0.01)
        assert b"".join(payload for _, payload in ends.seen) == sent
        assert {opcode for opcode, _ in ends.seen} == {Opcode.TEXT}


async def test_fragments_pass_and_those_with_nothing_in_them_cost_nothing() -> None:
    async with joined() as ends:
        for opcode, payload, final in (
            (Opcode.TEXT, b"", False),
            (Opcode.CONTINUATION, b"a", False),
            *[(Opcode.CONTINUATION, b"", False)] * 1000,
            (Opcode.CONTINUATION, b"b", False),
            (Opcode.CONTINUATION, b"", True),
        ):
            ends.transport.arrive(b"".join(encode(opcode, (payload,), masked=True, final=final)))
        said = list(FragmentReader().feed(await asyncio.wait_for(ends.stream.read(), 1)))
        assert said == [
            (Opcode.TEXT, b"a", False),
            (Opcode.CONTINUATION, b"b", False),
            (Opcode.CONTINUATION, b"", True),
        ]


async def test_of_pings_that_a_browser_sends_without_reading_the_last_is_answered() -> None:
    async with joined() as ends:
        ends.socket.pause_writing()
        for number in range(1000):
            ends.say(Opcode.PING, b"%d" % number)
        assert ends.transport.written == b""
        ends.socket.resume_writing()
        assert ends.seen == [(Opcode.PONG, b"999")]
        ends.say(Opcode.PING, b"more")
        assert ends.seen[1:] == [(Opcode.PONG, b"more")]


async def test_a_reason_that_is_no_text_is_said_to_be_none() -> None:
    async with joined() as ends:
        ends.say(Opcode.CLOSE, (4001).to_bytes(2, "big") + b"\xff")
        await asyncio.sleep(0.01)
        assert ends.seen == [(Opcode.CLOSE, (1007).to_bytes(2, "big"))]
        await ends.stream.end()


async def test_a_slow_notebook_stops_the_browser_and_loses_nothing() -> None:
    async with joined() as ends:
        sent = 0
        while ends.transport.reading:
            ends.say(Opcode.BINARY, bytes(FRAME_BYTES))
            sent += 1
        assert sent * FRAME_BYTES <= FIRST_BYTES + FRAME_BYTES
        reader, read = FragmentReader(), 0
        while read < sent * FRAME_BYTES:
            data = await asyncio.wait_for(ends.stream.read(), 1)
            read += sum(len(each.content) for each in reader.feed(data))
        await asyncio.sleep(0.01)
        assert ends.transport.reading


async def test_a_slow_browser_takes_nothing_more_off_the_stream() -> None:
    async with joined() as ends:
        ends.socket.pause_writing()
        await ends.stream.write(Fragment(Opcode.TEXT, b"later").encode())
        await asyncio.sleep(0.01)
        assert ends.seen == []
        ends.socket.resume_writing()
        assert ends.seen == [(Opcode.TEXT, b"later")]


async def test_whoever_is_taken_out_is_not_listened_to_any_more() -> None:
    async with joined() as ends:
        while ends.transport.reading:
            ends.say(Opcode.BINARY, bytes(FRAME_BYTES))
        ends.relaying.cancel()
        await asyncio.sleep(0.01)
        tracemalloc.start()
        for _ in range(500):
            ends.say(Opcode.BINARY, bytes(FRAME_BYTES))
            await asyncio.sleep(0)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 20 * FRAME_BYTES
