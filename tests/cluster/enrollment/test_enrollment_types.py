"""The enrolment script's types, by TypeScript's compiler, which is got once into the user's cache."""

import asyncio
import hashlib
import shutil
from pathlib import Path

from kupyterhub_local.components.cache import cached, user_cache
from unit.enrollment.node_tests import need

PROJECT = Path(__file__).parents[3] / "infra/enrollment"
LOCK = PROJECT / "package-lock.json"


async def test_types_of_the_script_are_sound() -> None:
    folder = user_cache() / "enrollment" / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    modules = (await cached(folder, _install)) / "node_modules"
    compiler = await asyncio.create_subprocess_exec(
        *(need("node"), str(modules / "typescript/bin/tsc")),
        *("-p", str(PROJECT), "--typeRoots", str(modules / "@types")),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await compiler.communicate()
    assert compiler.returncode == 0, said.decode()


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in LOCK.read_text()
    assert "://" not in LOCK.read_text()


async def _install(folder: Path) -> None:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(PROJECT / name, folder)
    npm = await asyncio.create_subprocess_exec(
        *(need("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"), cwd=folder
    )
    assert await npm.wait() == 0, "npm could not install TypeScript"
