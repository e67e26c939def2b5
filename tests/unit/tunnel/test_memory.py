"""How many requests fit in a container's memory."""

from pathlib import Path

import pytest

from kupyterhub_tunnel.memory import requests_at_once

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [(str(2048 * MIB), 5000, 6000), (str(256 * MIB), 512, 512), (str(64 * MIB), 512, 512), ("max", 10_000, 10_000)],
)
def test_they_are_as_many_as_half_of_it_holds(tmp_path: Path, limit: str, least: int, most: int) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    assert least <= requests_at_once(tmp_path / "memory.max") <= most


def test_without_a_limit_they_are_bounded_all_the_same(tmp_path: Path) -> None:
    assert requests_at_once(tmp_path / "memory.max") == 10_000
