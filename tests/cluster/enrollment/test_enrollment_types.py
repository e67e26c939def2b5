"""The enrolment script's types, by TypeScript's compiler, which is got once into the user's cache."""

import asyncio
from pathlib import Path

from needed import need, npm_packages

PROJECT = Path(__file__).parents[3] / "infra/enrollment"
LOCK = PROJECT / "package-lock.json"


async def test_types_of_the_script_are_sound() -> None:
    modules = await npm_packages(PROJECT, "enrollment") / "node_modules"
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
