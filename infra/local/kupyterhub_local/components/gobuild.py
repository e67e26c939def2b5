"""The control plane built from published Go modules (control-plane/go.mod), where no release is reached."""

import asyncio
import os
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kupyterhub_local.errors import ComponentError
from kupyterhub_local.process import DIES_WITH_US
from kupyterhub_local.progress import Say

MODULE = Path(__file__).with_name("control-plane")
LOG_TAIL_LINES = 30
TELL_SECONDS = 20


async def kubernetes(version: str, programs: Sequence[str], folder: Path, say: Say) -> None:
    """Build `programs` into `folder`. Raises ComponentError: no Go, or the end of the compiler's messages."""
    # As Kubernetes' own build does: without them the server calls itself v0.0.0-master.
    major, minor, _ = version.removeprefix("v").split(".")
    stamp = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamp.items())
    await _build(f"{folder}/", flags, [f"k8s.io/kubernetes/cmd/{program}" for program in programs], say)


async def etcd(folder: Path, say: Say) -> None:
    """Build `etcd` into `folder`; raises ComponentError."""
    await _build(str(folder / "etcd"), "", ["go.etcd.io/etcd/server/v3"], say)


@dataclass
class Compiled:
    """How far a build is: it compiles at most `total` packages, less where some were compiled before."""

    total: int
    done: int = 0

    def after(self, seconds: float) -> str:
        """Say it in words, with the time that is left if the rest goes as what was."""
        left = (self.total - self.done) * seconds / max(self.done, 1) / 60
        return f"{self.done} of {self.total} packages are compiled; {max(left, 1):.0f} min left, at most"


async def _build(output: str, link_flags: str, packages: Sequence[str], say: Say) -> None:
    go = shutil.which("go")
    if go is None:
        raise ComponentError(
            "The official releases cannot be reached, and there is no Go to build Kubernetes with. "
            "Connect to the internet, or install Go (https://go.dev/dl/), and try again."
        )
    compiled, began, told = Compiled(0), time.monotonic(), time.monotonic()

    def count(_: str) -> None:
        compiled.total += 1

    def tell(package: str) -> None:
        nonlocal told
        compiled.done += " " not in package
        if (now := time.monotonic()) - told > TELL_SECONDS:
            told = now
            say(compiled.after(now - began))

    await _run(go, "list", "-mod=readonly", "-deps", *packages, line=count)
    await _run(
        *(go, "build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false"),
        # Nobody debugs it, and without its tables the compiler needs a sixth less of CPU time.
        *("-gcflags=all=-dwarf=false", "-ldflags", f"-s -w {link_flags}", "-o", output, *packages),
        line=tell,
    )


async def _run(*command: str, line: Callable[[str], None]) -> None:
    """Run Go in the module, giving each line that it prints to `line`; raises ComponentError."""
    program = await asyncio.create_subprocess_exec(
        *(*DIES_WITH_US, *command),
        cwd=MODULE,
        env={**os.environ, "CGO_ENABLED": "0"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert program.stdout is not None  # noqa: S101 - it is a pipe
    last: deque[str] = deque(maxlen=LOG_TAIL_LINES)
    try:
        async for raw in program.stdout:
            last.append(raw.decode(errors="replace").rstrip())
            line(last[-1])
        await program.wait()
    finally:
        if program.returncode is None:
            program.kill()
    if program.returncode != 0:
        raise ComponentError(f"Go failed in {MODULE}: {' '.join(command)}\n" + "\n".join(last))
