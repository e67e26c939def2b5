"""The trial start by which Java's class cache is made, with stand-ins for Java."""

from pathlib import Path

import pytest

from kupyterhub_local.components.aot import Program, trained
from kupyterhub_local.errors import ComponentError


async def nothing() -> None:
    pass


def java(tmp_path: Path, script: str) -> Path:
    program = tmp_path / "java"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


async def test_what_cannot_be_started_is_reported_with_its_words(tmp_path: Path) -> None:
    program = Program(["-jar"], java(tmp_path, "echo this is no jar; exit 1"), 1, nothing)
    with pytest.raises(ComponentError, match=r"(?s)could not be started.*this is no jar"):
        await trained(program.jar, program, tmp_path / "cache")


async def test_a_cache_is_made_once(tmp_path: Path) -> None:
    count = tmp_path / "count"
    script = f'echo x >> {count}; touch "${{1#-XX:AOTCacheOutput=}}"'
    program = Program([], java(tmp_path, script), 1, nothing)
    first = await trained(program.jar, program, tmp_path / "cache")
    assert await trained(program.jar, program, tmp_path / "cache") == first
    assert count.read_text() == "x\n"
