"""What server and agent hold while people, or their notebooks, do their worst: half of their pods' limits at most.

Each attack is by as many connections as the server lets each person have. The server and the agent are processes of
their own; what is measured is the memory that is theirs (RSS), at its most, and again after the attack.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.figures import Figure
from cluster.carrying.programs import listening, process, running_server, signed_in
from cluster.proxy.harness import NAMESPACE, System, free_port
from kupyterhub_proxy.limits import Limits
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

MIB = 1024 * 1024
SERVER_MIB, OWN_MIB, SHARED_MIB = 2048, 256, 2048
"""The limits of their containers."""
MANY = 16
REST_SECONDS = 3.0
LONGEST_SECONDS = 40.0
AFTER_SECONDS = 35.0
"""Within them freed memory is given back."""
ATTACKS = (
    "/large",
    "/chunked",
    "/pieces",
    "/flood",
    "/long",
    "/tiny",
    "/pings",
    "/silent",
    "pongs",
    "/deaf",
    "beyond",
)
WEBSOCKETS = ("/flood", "/long", "/tiny", "/pings", "/silent", "pongs")
UPLOADS = {"/deaf": 100_000_000, "beyond": 1_000_000}


@dataclass(frozen=True)
class Peaks:
    """MiB of server and agent at the most, and after it."""

    server: float
    agent: float
    server_after: float
    agent_after: float


def measure() -> Iterator[Figure]:
    """Attack by one person at an agent of their own, then by many at a shared one."""
    yield from asyncio.run(_measure(1, OWN_MIB))
    yield from asyncio.run(_measure(MANY, SHARED_MIB))


async def _measure(people: int, agent_mib: int) -> list[Figure]:
    figures = []
    emails = [f"person-{number}@example.org" for number in range(people)]
    for attack in ATTACKS:
        with tempfile.TemporaryDirectory() as folder:
            seen = await _attacked(Path(folder), attack, emails)
        details = f"MiB; after it {seen.server_after:.0f} and {seen.agent_after:.0f}"
        figures += [
            Figure(f"{attack} by {people}: server", seen.server, SERVER_MIB / 2, "MiB", details),
            Figure(f"{attack} by {people}: agent", seen.agent, agent_mib / 2, "MiB", details),
        ]
    return figures


async def _attacked(folder: Path, attack: str, emails: list[str]) -> Peaks:
    upstream = free_port()
    with (
        process(folder, "bench.memory_upstream", str(upstream)),
        running_server(folder) as (system, server),
    ):
        token = system.cluster.token("", "uid", sub=f"system:serviceaccount:{NAMESPACE}:agent")
        (folder / "token").write_text(token)
        await listening(upstream)
        await listening(system.port)
        arguments = (system.origin("agents"), f"http://127.0.0.1:{system.port}", f"http://127.0.0.1:{upstream}")
        with process(folder, "bench.memory_agent", *arguments, str(folder / "token"), *emails) as agent:
            cookies = {email: await signed_in(system, email) for email in emails}
            watching = asyncio.create_task(_peaks(server, agent))
            async with _attackers(system, attack, cookies):
                most = await watching
            if len(emails) > 1:
                await asyncio.sleep(AFTER_SECONDS)
            return Peaks(*most, _mib(server), _mib(agent))


async def _peaks(server: psutil.Process, agent: psutil.Process) -> tuple[float, float]:
    """Watch until neither has grown for a while."""
    loop = asyncio.get_running_loop()
    begun = grown = loop.time()
    most = (0.0, 0.0)
    while loop.time() - grown < REST_SECONDS and loop.time() - begun < LONGEST_SECONDS:
        now = (max(most[0], _mib(server)), max(most[1], _mib(agent)))
        if sum(now) > sum(most) + 1:
            grown = loop.time()
        most = now
        await asyncio.sleep(0.05)
    return most


def _mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss / MIB)


@contextlib.asynccontextmanager
async def _attackers(system: System, attack: str, cookies: dict[str, str]) -> AsyncIterator[None]:
    """Open all connections, and do on each what the attack is."""
    tasks = [
        asyncio.create_task(_attacker(system, attack, base_name(email), cookie))
        for email, cookie in cookies.items()
        for _ in range(Limits().requests)
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _attacker(system: System, attack: str, name: str, cookie: str) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)  # what the kernel holds is not measured
        client.setblocking(False)  # noqa: FBT003 - its own way
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", system.port))
        await loop.sock_sendall(client, _head(system, attack, name, cookie).encode())
        if attack in WEBSOCKETS:
            await loop.sock_recv(client, 1024)  # the handshake
        with contextlib.suppress(ConnectionError):
            for part in _sent(attack):
                while True:
                    await loop.sock_sendall(client, part)
        await asyncio.Event().wait()


def _head(system: System, attack: str, name: str, cookie: str) -> str:
    origin = system.origin(name)
    method = "POST" if attack in UPLOADS else "GET"
    target = attack if attack.startswith("/") else "/sink"
    lines = [f"{method} {target} HTTP/1.1", f"Host: {origin.partition('://')[2]}", f"Origin: {origin}"]
    lines.append(f"Cookie: {cookie}")
    if attack in UPLOADS:
        lines.append(f"Content-Length: {UPLOADS[attack]}")
    elif attack in WEBSOCKETS:
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines.append("Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
    return "\r\n".join([*lines, "", ""])


def _sent(attack: str) -> list[bytes]:
    """What is sent again and again; a mask of zeros changes nothing."""
    match attack:
        case "/deaf" | "beyond":
            return [bytes(65536)]
        case "/silent":
            return [b"\x82\xff" + (65536).to_bytes(8, "big") + bytes(4) + bytes(65536)]
        case "pongs":
            return [(b"\x89\xfd" + bytes(4) + bytes(125)) * 512]
        case _:
            return []
