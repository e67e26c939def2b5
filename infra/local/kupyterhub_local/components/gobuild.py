"""The control plane built from published Go modules (control-plane/go.mod), where no release is reached."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from kupyterhub_local.errors import ComponentError
from kupyterhub_local.process import DIES_WITH_US

MODULE = Path(__file__).with_name("control-plane")
LOG_TAIL_BYTES = 2000


async def kubernetes(version: str, programs: Sequence[str], folder: Path) -> None:
    """Build `programs` into `folder`. Raises ComponentError: no Go, or the end of the compiler's messages."""
    # As Kubernetes' own build does: without them the server calls itself v0.0.0-master.
    major, minor, _ = version.removeprefix("v").split(".")
    stamp = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamp.items())
    await _build(f"{folder}/", flags, [f"k8s.io/kubernetes/cmd/{program}" for program in programs])


async def etcd(folder: Path) -> None:
    """Build `etcd` into `folder`; raises ComponentError."""
    await _build(str(folder / "etcd"), "", ["go.etcd.io/etcd/server/v3"])


async def _build(output: str, link_flags: str, packages: Sequence[str]) -> None:
    go = shutil.which("go")
    if go is None:
        raise ComponentError(
            "The official releases cannot be reached, and there is no Go to build Kubernetes with. "
            "Connect to the internet, or install Go (https://go.dev/dl/), and try again."
        )
    build = await asyncio.create_subprocess_exec(
        *(
            *DIES_WITH_US,
            go,
            "build",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            f"-s -w {link_flags}",
        ),
        *("-o", output, *packages),
        cwd=MODULE,
        env={**os.environ, "CGO_ENABLED": "0"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        messages, _ = await build.communicate()
    finally:
        if build.returncode is None:
            build.kill()
    if build.returncode != 0:
        tail = messages[-LOG_TAIL_BYTES:].decode(errors="replace")
        raise ComponentError(f"Go could not build {', '.join(packages)} in {MODULE}:\n{tail}")
