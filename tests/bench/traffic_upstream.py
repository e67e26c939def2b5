"""`python -m bench.traffic_upstream PORT`: a notebook's stand-in that costs next to nothing.

GET / is answered with some bytes, /big with 10 MiB, /ws with a WebSocket that echoes small messages.
"""

import asyncio
import base64
import hashlib
import json
import sys

import uvloop

BIG_BYTES = 10 * 1024 * 1024
_SMALL = b"x" * 200
_STATUS = json.dumps({"started": "2026-01-01T00:00:00Z", "last_activity": "2026-01-01T00:00:00Z"}).encode()
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def _answer(body: bytes, kind: str = "text/plain") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


ANSWERS = {
    b"/": _answer(_SMALL),
    b"/big": _answer(bytes(BIG_BYTES)),
    b"/api/status": _answer(_STATUS, "application/json"),
    b"/api/kernels": _answer(b"[]", "application/json"),
    b"/api/terminals": _answer(b"[]", "application/json"),
}


class Upstream(asyncio.Protocol):
    """One connection; requests have no bodies."""

    def __init__(self) -> None:
        self._held = b""
        self._is_websocket = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while self._held:
            if not (self._echo() if self._is_websocket else self._serve()):
                return

    def _serve(self) -> bool:
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if not end:
            return False
        self._held = rest
        target = head.split(b" ", 2)[1].partition(b"?")[0]
        if target == b"/ws":
            key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:"))
            digest = hashlib.sha1(key.partition(b":")[2].strip() + _MAGIC).digest()  # noqa: S324 - RFC 6455
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
            )
            self._is_websocket = True
        else:
            self._transport.write(ANSWERS.get(target, ANSWERS[b"/"]))
        return True

    def _echo(self) -> bool:
        held = self._held
        size = held[1] & 0x7F if len(held) > 1 else 0
        if len(held) < 6 + size:
            return False
        assert size < 126, "small messages only"
        mask, content = held[2:6], held[6 : 6 + size]
        plain = bytes(byte ^ mask[at % 4] for at, byte in enumerate(content))
        self._held = held[6 + size :]
        kind = held[0] & 0x0F
        self._transport.write(bytes([0x80 | (10 if kind == 9 else kind), size]) + plain)
        return True


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
