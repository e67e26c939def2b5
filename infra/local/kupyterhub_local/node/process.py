"""One running container as a local process; edge to the operating system."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .domain.environment import Invocation
from .domain.mount_plan import Step
from .logs import LogWriter

_LAUNCHER = Path(__file__).with_name("launch.py")
KILLED = 128 + signal.SIGKILL


class StartError(Exception):
    """A container that could not be started; the text is for people."""


@dataclass(frozen=True)
class Launch:
    """All that a container's process is started from."""

    invocation: Invocation
    steps: Sequence[Step]
    root: Path
    """An empty directory on the host; only the container sees what is mounted there."""
    cwd: str
    hostname: str


class ContainerProcess:
    """A started container. Its PID namespace ends with it, and with the node."""

    def __init__(self, launcher: asyncio.subprocess.Process, pumps: "asyncio.Future[tuple[None, None]]") -> None:
        self._launcher = launcher
        self._pumps = pumps

    @classmethod
    async def start(cls, launch: Launch, log: Path) -> "ContainerProcess":
        """Start it and return once its command runs.

        Raises StartError when the command or the mounts cannot be made, with the system's reason.
        """
        report, report_end = os.pipe()
        plan = {
            "hostname": launch.hostname,
            "root": str(launch.root),
            "cwd": launch.cwd,
            "argv": launch.invocation.argv,
            "environment": dict(launch.invocation.environment),
            "steps": [asdict(step) for step in launch.steps],
        }
        try:
            launcher = await asyncio.create_subprocess_exec(
                # The base interpreter: what a venv adds is not needed and costs time.
                *(getattr(sys, "_base_executable", sys.executable), "-I", "-S", str(_LAUNCHER)),
                *(str(os.getpid()), str(report_end)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=[report_end],
                start_new_session=True,
                cwd="/",
                env={},
            )
        except OSError as error:
            os.close(report)
            raise StartError(f"cannot start a process: {error.strerror}") from error
        finally:
            os.close(report_end)
        assert launcher.stdin and launcher.stdout and launcher.stderr  # noqa: S101, PT018 - asked for above
        pumps = asyncio.gather(
            LogWriter(log, "stdout").pump(launcher.stdout), LogWriter(log, "stderr").pump(launcher.stderr)
        )
        container = cls(launcher, pumps)
        launcher.stdin.write(json.dumps(plan).encode())
        launcher.stdin.close()
        reason = await _read_to_end(report)
        if reason:
            await container.wait()
            raise StartError(reason)
        return container

    def terminate(self) -> None:
        """Ask the container's command to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End everything in the container now."""
        self._signal(signal.SIGUSR1)

    async def wait(self) -> int:
        """Return the exit code once nothing of it is left: 128 and the number of a signal that ended it."""
        code = await self._launcher.wait()
        await self._pumps
        return code if code >= 0 else 128 - code

    def _signal(self, number: signal.Signals) -> None:
        if self._launcher.returncode is None:
            self._launcher.send_signal(number)


async def _read_to_end(descriptor: int) -> str:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    try:
        return (await reader.read()).decode(errors="replace")
    finally:
        transport.close()
