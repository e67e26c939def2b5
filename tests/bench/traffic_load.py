"""`python -m bench.traffic_load KIND CONNECTIONS SECONDS PORT`: a load generator; prints JSON of what it saw.

KIND is `requests` (GETs on connections that are kept, one at a time on each), `big` (likewise, of 10 MiB) or `echo`
(WebSocket messages, one at a time). Headers that are added to each request come as JSON on standard input.
"""

import asyncio
import json
import sys
import time
from abc import abstractmethod

import uvloop

MESSAGE = b"x" * 100
_MASKED = bytes([0x82, 0x80 | len(MESSAGE), 0, 0, 0, 0]) + MESSAGE
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Client(asyncio.Protocol):
    """Asks again as soon as it is answered, until `stop`."""

    def __init__(self, seconds: list[float], opening: bytes) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stop = False
        self._seconds = seconds
        self._opening = opening
        self._head = b""
        self._left = -1

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._ask(self._opening)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def _ask(self, question: bytes) -> None:
        self._began = time.perf_counter()
        self.transport.write(question)

    def _answered(self, question: bytes) -> None:
        self._seconds.append(time.perf_counter() - self._began)
        if not self.stop:
            self._ask(question)
        elif not self.done.done():
            self.done.set_result(None)
            self.transport.close()

    @abstractmethod
    def data_received(self, data: bytes) -> None: ...


class Requests(Client):
    """Answers must have a Content-Length."""

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 200"), head
            self._left = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]) - len(body)
            self._head = b""
        else:
            self._left -= len(data)
        if self._left == 0:
            self._left = -1
            self._answered(self._opening)


class Echo(Client):
    """Its first answer is that of the handshake, and not counted."""

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._left < 0:
            head, end, self._head = self._head.partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self._left = 0
            self._ask(_MASKED)
        elif len(self._head) >= 2 + len(MESSAGE):
            self._head = self._head[2 + len(MESSAGE) :]
            self._answered(_MASKED)


async def _load(kind: str, connections: int, seconds: float, port: int, headers: dict[str, str]) -> None:
    more = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": _KEY}
    lines = {"Host": f"127.0.0.1:{port}", **headers, **(more if kind == "echo" else {})}
    target = {"requests": "/", "big": "/big", "echo": "/ws"}[kind]
    text = "\r\n".join([f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), "", ""])
    took: list[float] = []
    make = Echo if kind == "echo" else Requests
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: make(took, text.encode()), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds / 5)  # what comes first warms up
    took.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    answered, elapsed = len(took), time.perf_counter() - began
    counted = took[:answered]
    for client in clients:
        client.stop = True
    await asyncio.gather(*(client.done for client in clients))
    seen = {"per_second": answered / elapsed, "median_ms": sorted(counted)[answered // 2] * 1000}
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    kind, connections, seconds, port = sys.argv[1:]
    uvloop.run(_load(kind, int(connections), float(seconds), int(port), json.loads(sys.stdin.read())))
