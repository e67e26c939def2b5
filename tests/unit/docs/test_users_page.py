"""docs/users.md names every phase, reason and field of the status with what to do, and no other."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import reasons
from kupyterhub.domain.users import Change, Status

PAGE = Path(__file__).parents[3] / "docs/users.md"
PHASES = {"Provisioning", "Waiting", "Ready", "Stopped", "Deleted", "Rejected", "Failed"}


def table(title: str) -> dict[str, list[str]]:
    """The other cells of each row, by what the first names; the table with this first title."""
    (body,) = re.findall(rf"^\| {re.escape(title)} \|.*\n\| ---.*\n((?:\|.*\n)+)", PAGE.read_text(), re.MULTILINE)
    found: dict[str, list[str]] = {}
    for line in body.splitlines():
        first, *others = (cell.strip() for cell in line.strip("|").split("|"))
        for name in re.findall(r"`(\w+)`", first):
            assert name not in found, f"{name} is there twice"
            found[name] = others
    return found


@pytest.mark.parametrize(
    ("phase", "given"),
    [
        ("Provisioning", reasons.starting()),
        ("Failed", reasons.refused() | {"NotReadyInTime"}),
        ("Rejected", reasons.rejected()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_reason_is_explained_and_no_other(phase: str, given: set[str]) -> None:
    rows = table(f"reason of `{phase}`")
    assert rows.keys() == given
    assert all(cell for cells in rows.values() for cell in cells)


def test_each_phase_is_explained() -> None:
    # Waiting is what a queue will say; nobody is in one yet.
    assert table("phase").keys() == PHASES - {"Waiting"}


def test_each_field_of_the_status_is_named() -> None:
    assert table("field of `status`").keys() == {field.name for field in fields(Status)}


def test_each_field_of_a_change_is_named() -> None:
    assert table("field of a change").keys() == {field.name for field in fields(Change)} | {"expireAt"}
