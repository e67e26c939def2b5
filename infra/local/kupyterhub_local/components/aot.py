"""What Java works out about a program's classes at its start (JEP 483, 514), cached by one trial start.

Java checks by itself that a cache fits the runtime and the jar, and does without where it does not.
"""

import asyncio
import hashlib
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kupyterhub_local.components.cache import cached
from kupyterhub_local.errors import ComponentError
from kupyterhub_local.process import DIES_WITH_US

CACHE = "classes.aot"
TRIAL_SECONDS = 180.0
LOG_TAIL_BYTES = 2000


@dataclass(frozen=True)
class Program:
    """What Java is to run: its arguments, the jar, and the port of 127.0.0.1 that it listens on when it is up.

    `exercise` does with it what will often be done with it: the more classes it meets, the better the cache.
    """

    arguments: Sequence[str]
    jar: Path
    port: int
    exercise: Callable[[], Awaitable[None]]


async def trained(java: Path, program: Program, cache: Path) -> Path:
    """Return the cache for `program`; raises ComponentError if it cannot be started."""

    async def make(folder: Path) -> None:
        trial = await asyncio.create_subprocess_exec(
            *(*DIES_WITH_US, str(java), f"-XX:AOTCacheOutput={folder / CACHE}", *program.arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        ending = asyncio.create_task(trial.communicate())
        try:
            async with asyncio.timeout(TRIAL_SECONDS):
                await _listening(program.port, trial)
                await program.exercise()
                if trial.returncode is None:
                    trial.send_signal(signal.SIGTERM)
                await asyncio.wait([ending])
        except TimeoutError as error:
            raise ComponentError(f"{program.jar.name} did not start within {TRIAL_SECONDS:.0f} s.") from error
        finally:
            if trial.returncode is None:
                trial.kill()
            await asyncio.wait([ending])
        messages, _ = ending.result()
        if not (folder / CACHE).is_file():
            tail = messages[-LOG_TAIL_BYTES:].decode(errors="replace")
            raise ComponentError(f"{program.jar.name} could not be started by {java}:\n{tail}")

    return await cached(cache / f"{program.jar.stem}-{_fingerprint(program.jar, java)}", make) / CACHE


def _fingerprint(*programs: Path) -> str:
    files = [(str(program.resolve()), program.stat().st_size, program.stat().st_mtime_ns) for program in programs]
    return hashlib.sha256(repr(files).encode()).hexdigest()[:16]


async def _listening(port: int, trial: asyncio.subprocess.Process) -> None:
    while trial.returncode is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
