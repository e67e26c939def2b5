"""Programs that tests need and that are not Python's."""

import asyncio
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from kupyterhub_local.components.cache import cached, user_cache


def need(*programs: str) -> str:
    """Return the path of the first of these programs; where none is, skips, but fails under CI."""
    for program in programs:
        if path := shutil.which(program):
            return path
    complaint = f"none of these programs is installed: {', '.join(programs)}"
    if os.environ.get("CI") == "true":
        pytest.fail(complaint)
    pytest.skip(complaint)


async def npm_packages(source: Path, name: str) -> Path:
    """Return a folder with what the lock file in `source` names, got once into the user's cache."""

    async def install(folder: Path) -> None:
        for file in ("package.json", "package-lock.json", ".npmrc"):
            if (source / file).exists():
                shutil.copy(source / file, folder)
        npm = await asyncio.create_subprocess_exec(
            *(need("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"), cwd=folder
        )
        assert await npm.wait() == 0, f"npm could not install {name}"

    lock = (source / "package-lock.json").read_bytes()
    return await cached(user_cache() / name / hashlib.sha256(lock).hexdigest()[:16], install)
