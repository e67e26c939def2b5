"""A bridge between real emulators and functions that a test can read, hold up and take away."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from kupyterhub_local.addresses import Ports

PATIENCE_SECONDS = 60


async def eventually(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  other processes' state
            await asyncio.sleep(0.01)


async def healthy(url: str, *, status: int = 200) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE_SECONDS):
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(url) as response:
                    if response.status == status:
                        return
            await asyncio.sleep(0.05)


class Program:
    """A child process that dies with the tests, its output in a file."""

    def __init__(self, argv: Sequence[str], log: Path, environment: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *argv],
                stdout=output,
                stderr=output,
                env=os.environ | (environment or {}),
            )

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        self._process.send_signal(number)
        return self._process.wait(PATIENCE_SECONDS)


@dataclass(frozen=True)
class Call:
    """A request that a function got."""

    function: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Functions:
    """The functions' server. `status` answers; None lets a call hang."""

    port: int
    status: Callable[[Call], int | None] = lambda _: 200
    calls: list[Call] = field(default_factory=list)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{function}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def looked_at_everybody(self) -> None:
        """Wait for the `resync all` with which each bridge begins, and forget it."""
        await eventually(lambda: bool(self.of("on_resync")))
        self.calls.clear()

    def of(self, function: str) -> list[Call]:
        return [call for call in self.calls if call.function == function]

    async def _serve(self, request: web.Request) -> web.Response:
        call = Call(
            function=request.match_info["function"],
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
            at=time.time(),
        )
        self.calls.append(call)
        status = self.status(call)
        if status is None:
            await asyncio.sleep(3600)
        return web.Response(status=status or 500)


class Bridge:
    """The bridge as a process, with its files in `folder`."""

    def __init__(self, project: str, ports: Ports, folder: Path) -> None:
        self.project = project
        self.ports = ports
        self.queue = folder / "bridge" / "queue.sqlite"
        self.snapshots = folder / "firestore"
        self.log = folder / "bridge.log"
        self._program: Program | None = None

    async def start(self) -> None:
        self.launch()
        await healthy(f"http://127.0.0.1:{self.ports.bridge}/healthz")

    def launch(self) -> None:
        at = self.ports
        self._program = Program(
            [
                *(sys.executable, "-m", "kupyterhub_local.bridge"),
                *("--listen", f"127.0.0.1:{at.bridge}", "--functions", f"http://127.0.0.1:{at.functions}"),
                *("--queue", str(self.queue), "--snapshots", str(self.snapshots)),
            ],
            self.log,
            {
                "GOOGLE_CLOUD_PROJECT": self.project,
                "FIRESTORE_EMULATOR_HOST": f"127.0.0.1:{at.firestore}",
                "PUBSUB_EMULATOR_HOST": f"127.0.0.1:{at.pubsub}",
            },
        )

    def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        program, self._program = self._program, None
        return program.end(number) if program else 0

    def stored(self) -> int:
        with closing(sqlite3.connect(f"file:{self.queue}?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT COUNT(*) FROM events").fetchone()[0])
