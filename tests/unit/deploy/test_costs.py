"""What a month costs, from prices that are somebody's to check, and the page that says it."""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from terraform import scripts
from unit.deploy.conftest import CHECKOUT

SCRIPT = CHECKOUT / "infra/deploy/costs.py"
PAGE = (CHECKOUT / "docs/costs.md").read_text()
SUMS = re.compile(r"(?:together|idle and 30 people:) +([\d.]+)")


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    return scripts.load("infra/deploy/costs.py")


@pytest.fixture(scope="module")
def known(costs: ModuleType) -> dict[str, Any]:
    return yaml.safe_load(costs.PRICES.read_text())


def said(storage: str, *options: str) -> str:
    command = [sys.executable, SCRIPT, "--users", "30", "--hours", "80", "--storage", storage, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_sum_is_amounts_times_prices(costs: ModuleType) -> None:
    items = [costs.Item("a", 10, "x"), costs.Item("b", 2, "y")]
    assert costs.total(items, {"x": 0.5, "y": 3.0}) == (11.0, [])


def test_what_has_no_price_is_named_and_no_sum_hides_it(costs: ModuleType) -> None:
    items = [costs.Item("a", 10, "x"), costs.Item("b", 2, "y")]
    assert costs.total(items, {"x": 0.5, "y": None}) == (5.0, ["y"])
    text = costs.table("title", items, {"x": 0.5, "y": None})
    assert re.search(r"b +2\.00 x y +\?", text)
    assert "at least" in text


def test_what_is_left_out_is_said_with_the_sum(costs: ModuleType, known: dict[str, Any]) -> None:
    prices = known["prices"] | {"nat_address_hour": known["prices"]["nat_address_hour"] | {"price": None}}
    text = costs.report(known | {"prices": prices}, users=3, hours=80, storage="disk")
    assert "idle and 3 people: at least " in text
    assert text.endswith("left out, since the price is null: nat_address_hour\n")


@pytest.mark.parametrize(
    ("profile", "share"),
    [
        pytest.param({"cpu": 1.0, "memory_gib": 1.0}, 1.0 / 7.5, id="cpu decides"),
        pytest.param({"cpu": 0.5, "memory_gib": 14.0}, 0.5, id="memory decides"),
        pytest.param(
            {"cpu": 0.5, "memory_gib": 1.0, "ephemeral_gib": 1.0, "storage": "gcs"},
            6.0 / 43.8,
            id="what mounts a bucket counts",
        ),
        pytest.param({"cpu": 0.5, "memory_gib": 1.0, "ephemeral_gib": 21.9}, 0.5, id="the node's disk decides"),
    ],
)
def test_a_notebooks_part_of_a_node_is_what_it_takes_most_of(
    costs: ModuleType, profile: dict[str, Any], share: float
) -> None:
    assert costs.Profile(**profile).node_share == pytest.approx(share)


def test_only_storage_and_documents_are_paid_for_without_hours(costs: ModuleType) -> None:
    paid = [item.what for item in costs.person(costs.Profile(), 0) if item.amount]
    assert [what.partition(",")[0] for what in paid] == ["disk", "snapshots", "documents read by the hourly resync"]


def test_every_price_that_is_asked_for_is_in_the_file_with_its_page_and_day(
    costs: ModuleType, known: dict[str, Any]
) -> None:
    people = [item for storage in ("disk", "gcs") for item in costs.person(costs.Profile(storage=storage), 1)]
    assert {item.price for item in [*costs.idle(), *people]} == set(known["prices"])
    for each in known["prices"].values():
        assert each["page"].startswith("https://cloud.google.com/")
        assert isinstance(each["as_of"], date) or each["as_of"] == "undated copy"


def test_prices_of_nodes_are_those_of_the_machines_that_are_counted(costs: ModuleType, known: dict[str, Any]) -> None:
    for pool in (costs.SYSTEM, costs.NOTEBOOKS):
        assert known["prices"][pool.price]["machine_type"] == pool.machine_type


def test_prices_that_nobody_checked_are_called_an_example(costs: ModuleType, known: dict[str, Any]) -> None:
    assert "AN EXAMPLE" in costs.origin(known | {"checked": None})
    assert "read on 2026-11-24" in costs.origin(known | {"checked": date(2026, 11, 24)})


def test_prices_of_ones_own_are_in_a_file_of_ones_own(costs: ModuleType, tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text(costs.PRICES.read_text().replace("checked: null", "checked: 2026-11-24"))
    assert said("disk", "--prices", str(own)).startswith("Prices of us-central1 in USD, read on 2026-11-24\n")


def test_it_counts_the_profile_that_is_the_default(costs: ModuleType) -> None:
    page = (CHECKOUT / "docs/settings.md").read_text()
    profile = costs.Profile()
    assert "| `profiles.<name>.cpu` | `500m` |" in page
    assert profile.cpu == 0.5
    assert f"| `profiles.<name>.ephemeralStorage` | `{profile.ephemeral_gib:.0f}Gi` |" in page
    assert f"| `profiles.<name>.memory` | `{profile.memory_gib:.0f}Gi` |" in page
    assert f"| `profiles.<name>.storage.size` | `{profile.storage_gib:.0f}Gi` |" in page


def test_the_page_shows_what_the_program_prints() -> None:
    assert f"```\n{said('disk')}```" in PAGE


def test_the_pages_table_has_the_sums_of_both_kinds_of_storage() -> None:
    disk, gcs = SUMS.findall(said("disk")), SUMS.findall(said("gcs"))
    for row, *sums in zip(("idle", "one person, 80 hours", "idle and 30 people"), disk, gcs, strict=True):
        assert f"| {row} | {sums[0]} | {sums[1]} |" in PAGE


def test_the_page_begins_with_those_sums(known: dict[str, Any]) -> None:
    idle, person, _ = (float(each) for each in SUMS.findall(said("disk")))
    assert f"About {idle:.0f} USD a month when nobody has a notebook, and {person:.0f} for each person" in PAGE
    days = sorted(each["as_of"] for each in known["prices"].values() if isinstance(each["as_of"], date))
    assert f"({days[0]} to {days[-1]})" in PAGE
    assert f"at least one, of {known['prices']['notebook_node_hour']['price']:.2f} USD an hour" in PAGE
