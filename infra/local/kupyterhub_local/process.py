"""One child process: its log file, its death with ours, and its end."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# The kernel then ends a process when its parent dies, even by SIGKILL. To be used in the main thread: the kernel
# takes the thread that forked for the parent (prctl(2), PR_SET_PDEATHSIG).
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")

LOG_TAIL_LINES = 15
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Child:
    """A process that was started, and where it writes what it has to say."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self.process.returncode is not None

    def last_words(self) -> str:
        """Return how it ended, and the last lines of its log."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return "\n  ".join([f"{self.name} ended with {_status(self.process.returncode)}; {self.log} says:", *lines])

    async def stop(self) -> None:
        """Ask it to end, and insist after a while."""
        if not self.ended:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self.process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


async def start(name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path) -> Child:
    """Start a program with `environment` on top of our own; the log of its run before is kept beside the new one.

    It dies with us, and has a session of its own: Ctrl-C in a terminal reaches us alone, and things end in order.
    """
    log = logs / f"{name}.log"
    if log.exists():
        log.replace(logs / f"{name}.log.1")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(*DIES_WITH_US, *command),
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(name, process, log)


def _status(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return signal.Signals(-returncode).name
    return f"status {returncode}"
