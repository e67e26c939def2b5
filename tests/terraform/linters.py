"""Linters of Terraform that are no part of this project's environment: got once and kept in the user's cache.

Checkov's hundred dependencies contradict ours, so it has a folder of its own; TFLint is built from its Go module.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable
from pathlib import Path

from kupyterhub_local.components.cache import cached, user_cache
from kupyterhub_local.errors import ComponentError

CHECKOV = "3.3.30"
TFLINT = "v0.64.0"
_TFLINT = "github.com/terraform-linters/tflint"


async def checkov() -> Path:
    """Return a folder of Python packages with `checkov`; raises ComponentError."""
    return await cached(
        user_cache() / f"checkov-{CHECKOV}-{sys.version_info.major}.{sys.version_info.minor}",
        lambda folder: _run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-warn-conflicts"),
            *("--disable-pip-version-check", "--target", str(folder), f"checkov=={CHECKOV}"),
        ),
    )


async def tflint() -> Path:
    """Return the program `tflint`; raises ComponentError."""
    go = shutil.which("go")
    if go is None:
        raise ComponentError("There is no Go to build TFLint with. Install it (https://go.dev/dl/), and try again.")

    def build(folder: Path) -> Awaitable[None]:
        return _run(go, "install", "-trimpath", "-ldflags=-s -w", f"{_TFLINT}@{TFLINT}", GOBIN=str(folder))

    return await cached(user_cache() / f"tflint-{TFLINT}", build) / "tflint"


async def _run(*command: str, **environment: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise ComponentError(f"{' '.join(command)}:\n{said[-2000:].decode(errors='replace')}")
