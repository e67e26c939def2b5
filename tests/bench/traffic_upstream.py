"""`python -m bench.traffic_upstream PORT`: a notebook's stand-in that costs next to nothing.

GET / is answered with some bytes, /big with 10 MiB.
"""

import asyncio
import json
import sys

import uvloop

BIG_BYTES = 10 * 1024 * 1024
_SMALL = b"x" * 200
_STATUS = json.dumps({"started": "2026-01-01T00:00:00Z", "last_activity": "2026-01-01T00:00:00Z"}).encode()


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

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while self._serve():
            pass

    def _serve(self) -> bool:
        head, end, rest = self._held.partition(b"\r\n\r\n")
        if not end:
            return False
        self._held = rest
        target = head.split(b" ", 2)[1].partition(b"?")[0]
        self._transport.write(ANSWERS.get(target, ANSWERS[b"/"]))
        return True


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
