"""Frames of WebSockets, against RFC 6455."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.pieces import LARGE_BYTES, room
from kupyterhub_tunnel.websocket_frames import FrameReader, Opcode, Piece, accept_key, encode


def whole(pieces: list[Piece]) -> list[tuple[Opcode, bytes]]:
    """Join the pieces of each message; control frames may come between them."""
    messages, begun = [], b""
    for piece in pieces:
        if piece.opcode >= Opcode.CLOSE:
            messages.append((piece.opcode, piece.payload))
        else:
            begun += piece.payload
            if piece.final:
                messages.append((piece.opcode, begun))
                begun = b""
    return messages


def read(wire: bytes, size: int, *, masked: bool = False) -> list[Piece]:
    reader = FrameReader(masked=masked)
    return [piece for at in range(0, len(wire), size) for piece in reader.feed(wire[at : at + size])]


MESSAGES = st.tuples(st.sampled_from([Opcode.TEXT, Opcode.BINARY]), st.binary(max_size=400))
CONTROLS = st.tuples(st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125))


@given(messages=st.lists(MESSAGES | CONTROLS), size=st.integers(1, 500), masked=st.booleans())
def test_messages_survive_the_wire_however_it_cuts_them(
    *, messages: list[tuple[Opcode, bytes]], size: int, masked: bool
) -> None:
    wire = b"".join(b"".join(encode(opcode, (payload,), masked=masked)) for opcode, payload in messages)
    assert whole(read(wire, size, masked=masked)) == messages


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("read", [1000, LARGE_BYTES - 1, LARGE_BYTES + 3, 10 * LARGE_BYTES])
def test_large_payloads_are_read_to_where_they_stay(read: int, *, masked: bool) -> None:
    """As a BufferedProtocol does: once a frame has begun, to a buffer for it alone, which may not be filled."""
    sent = bytes(range(251)) * 5000
    wire = (
        b"".join(encode(Opcode.BINARY, (b"head", bytearray(sent)), masked=masked))
        + b"\x89"
        + bytes([0x80 if masked else 0])
        + bytes(4 if masked else 0)
    )
    reader, pieces, at = FrameReader(masked=masked), [], 0
    while at < len(wire):
        buffer = room(reader.left)
        if buffer is None:
            size = min(read, 5000)
            pieces += reader.feed(wire[at : at + size])
        else:
            size = min(read, len(buffer))
            buffer[:size] = wire[at : at + size]
            pieces.append(reader.fill(buffer, size))
        at += size
    assert whole(pieces) == [(Opcode.BINARY, b"head" + sent), (Opcode.PING, b"")]


@pytest.mark.parametrize("size", [125, 126, 65535, 65536])
def test_lengths_of_all_three_forms_are_read(size: int) -> None:
    wire = b"".join(encode(Opcode.BINARY, (bytes(size - 1), b"x"), masked=True))
    assert whole(read(wire, 1000, masked=True)) == [(Opcode.BINARY, bytes(size - 1) + b"x")]


def test_each_frame_has_a_key_of_its_own() -> None:
    frames = {b"".join(encode(Opcode.BINARY, (b"the same",), masked=True)) for _ in range(8)}
    assert len(frames) == 8


def test_a_control_frame_may_come_between_fragments() -> None:
    wire = b"\x01\x02he" + b"\x89\x02hi" + b"\x00\x00" + b"\x80\x03llo"
    assert whole(read(wire, 1)) == [(Opcode.PING, b"hi"), (Opcode.TEXT, b"hello")]


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(b"\xc1\x00", id="an extension that nobody agreed on"),
        pytest.param(b"\x83\x00", id="an opcode that is none"),
        pytest.param(b"\x80\x00", id="a fragment of nothing"),
        pytest.param(b"\x01\x00\x81\x00", id="a message within a message"),
        pytest.param(b"\x09\x00", id="a ping in fragments"),
        pytest.param(b"\x89\x7e\x00\x7e", id="a long ping"),
        pytest.param(b"\x81\x80\x00\x00\x00\x00", id="masked by the server"),
    ],
)
def test_what_breaks_the_standard_is_refused(wire: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(wire, len(wire))


def test_a_client_that_does_not_mask_is_refused() -> None:
    with pytest.raises(ProtocolError):
        read(b"\x81\x01x", 3, masked=True)


def test_the_key_is_answered_as_in_the_standard() -> None:
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
