"""A WebSocket joined to a stream of the tunnel, both in memory: what passes, and how each side ends the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from kupyterhub_tunnel.connection import Connection
from kupyterhub_tunnel.flow import WINDOW_BYTES
from kupyterhub_tunnel.heads import RequestHead
from kupyterhub_tunnel.messages import MAX_MESSAGE_BYTES, Message, MessageReader
from kupyterhub_tunnel.relay import relay
from kupyterhub_tunnel.stream import Stream
from kupyterhub_tunnel.websocket import ABNORMAL, GOING_AWAY, OK, WebSocket
from kupyterhub_tunnel.websocket_frames import FrameReader, Opcode, encode
from twins.transport import MemoryTransport
from twins.tunnel import connected

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

    async def message(self) -> Message:
        """The next one that the agent gets; they come one at a time here."""
        return next(iter(MessageReader().feed(await asyncio.wait_for(self.stream.read(), 1))))


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
            await asyncio.wait_for(relaying, 1)
            await stream.release()


async def test_messages_pass_both_ways_in_the_turn_in_which_they_came() -> None:
    async with joined() as ends:
        ends.say(Opcode.TEXT, b"up")
        assert await ends.message() == (Opcode.TEXT, b"up")
        await ends.stream.write(Message(Opcode.BINARY, b"down").encode() + Message(Opcode.TEXT, b"").encode())
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
        await ends.stream.write(Message.close(4321, "as you wish").encode() + Message(Opcode.TEXT, b"late").encode())
        await asyncio.sleep(0.01)
        assert ends.seen == [(Opcode.CLOSE, (4321).to_bytes(2, "big") + b"as you wish")]
        ends.say(Opcode.TEXT, b"ignored")
        ends.say(Opcode.CLOSE, (4321).to_bytes(2, "big"))
        await asyncio.wait_for(ends.relaying, 1)


@pytest.mark.parametrize(("said", "seen"), [(1005, OK), (ABNORMAL, GOING_AWAY)])
async def test_codes_that_are_never_sent_become_ones_that_are(said: int, seen: int) -> None:
    async with joined() as ends:
        await ends.stream.write(Message.close(said, "").encode())
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


async def test_a_message_that_is_too_large_closes_both_sides() -> None:
    async with joined() as ends:
        header = b"\x82\xff" + (MAX_MESSAGE_BYTES + 1).to_bytes(8, "big") + bytes(4)
        piece = bytes(1024 * 1024)
        ends.transport.arrive(header)
        for _ in range(MAX_MESSAGE_BYTES // len(piece)):
            ends.transport.arrive(piece)
        ends.transport.arrive(b"x")
        assert (await ends.message()).close_code() == (1009, "a message is too large")
        await asyncio.sleep(0.01)
        assert ends.seen == [(Opcode.CLOSE, (1009).to_bytes(2, "big") + b"a message is too large")]
        await ends.stream.end()


async def test_a_slow_notebook_stops_the_browser_and_loses_nothing() -> None:
    async with joined() as ends:
        sent = 0
        while ends.transport.reading:
            ends.say(Opcode.BINARY, bytes(FRAME_BYTES))
            sent += 1
        assert sent * FRAME_BYTES <= WINDOW_BYTES + FRAME_BYTES
        reader, read = MessageReader(), 0
        while read < sent:
            read += len(list(reader.feed(await asyncio.wait_for(ends.stream.read(), 1))))
        await asyncio.sleep(0.01)
        assert ends.transport.reading


async def test_a_slow_browser_takes_nothing_more_off_the_stream() -> None:
    async with joined() as ends:
        ends.socket.pause_writing()
        await ends.stream.write(Message(Opcode.TEXT, b"later").encode())
        await asyncio.sleep(0.01)
        assert ends.seen == []
        ends.socket.resume_writing()
        assert ends.seen == [(Opcode.TEXT, b"later")]
