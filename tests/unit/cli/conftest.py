"""A stage for each test."""

from pathlib import Path

import pytest

from unit.cli.stage import Stage, make


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The command with twins behind it, in an empty folder, with nobody at the keyboard."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return make(tmp_path)
