"""`python -m bench.memory_upstream PORT`: a notebook that does to its readers what the path says.

/large answers 100 MB, /chunked without end in chunks, /pieces in chunks of two bytes; /deaf takes no body. Of
WebSockets /flood sends messages of 1 MiB, /long one that never ends, /tiny messages of two bytes and /pings pings,
all without end; these and /silent read nothing, any other reads all.
"""

import asyncio
import contextlib
import struct
import sys
from itertools import repeat

import uvloop

from bench.traffic_upstream import ANSWERS
from kupyterhub_tunnel.websocket_frames import accept_key

LARGE_BYTES = 100_000_000
_PART = bytes(62_500)
_MIB = 1024 * 1024

_BODIES = {
    "/large": (f"Content-Length: {LARGE_BYTES}", repeat(_PART, LARGE_BYTES // len(_PART))),
    "/chunked": ("Transfer-Encoding: chunked", repeat(b"%x\r\n%b\r\n" % (len(_PART), _PART))),
    "/pieces": ("Transfer-Encoding: chunked", repeat(b"2\r\nxx\r\n" * 8192)),
}
_MESSAGES = {
    "/flood": (b"", b"\x82\x7f" + struct.pack("!Q", _MIB) + bytes(_MIB)),
    "/long": (b"\x02\x00", b"\x00\x7e" + struct.pack("!H", 32768) + bytes(32768)),
    "/tiny": (b"", b"\x82\x02xx" * 8192),
    "/pings": (b"", (b"\x89\x7d" + bytes(125)) * 512),
    "/silent": (b"", b""),
}


async def _serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
            target = first.split(" ")[1].partition("?")[0]
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            if "upgrade" in headers:
                await _websocket(target, headers["sec-websocket-key"], reader, writer)
            elif target in _BODIES:
                framing, parts = _BODIES[target]
                await _send(writer, f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{framing}\r\n\r\n".encode())
                for part in parts:
                    await _send(writer, part)
            elif target == "/deaf":
                await asyncio.Event().wait()
            else:
                writer.write(ANSWERS.get(target.encode(), ANSWERS[b"/"]))
    writer.close()


async def _websocket(target: str, key: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    writer.write("\r\n".join([*lines, f"Sec-WebSocket-Accept: {accept_key(key)}", "", ""]).encode())
    if target in _MESSAGES:
        first, message = _MESSAGES[target]
        writer.write(first)
        while message:
            await _send(writer, message)
        await asyncio.Event().wait()  # a StreamReader that is not read reads no more
    while await reader.read(_MIB):
        pass


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_serve_one, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
