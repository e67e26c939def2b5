"""Tests that are written in JavaScript, because what they test is."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from needed import need

SECONDS = 120


def run(file: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run the tests of one file under Node.js; fails with what Node says."""
    ended = subprocess.run(
        [need("node"), "--test", "--test-reporter=spec", str(file)],
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if ended.returncode != 0:
        pytest.fail(f"{ended.stdout}{ended.stderr}", pytrace=False)
    assert "ℹ tests 0\n" not in ended.stdout, "no test was found"  # noqa: RUF001 - that is how Node writes it
