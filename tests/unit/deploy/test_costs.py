"""What a month costs, from prices that somebody filled in."""

import re
import subprocess
import sys
from types import ModuleType

import pytest
import yaml

from terraform import scripts
from unit.deploy.conftest import CHECKOUT

SCRIPT = CHECKOUT / "infra/deploy/costs.py"


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    return scripts.load("infra/deploy/costs.py")


def test_a_sum_is_amounts_times_prices(costs: ModuleType) -> None:
    items = [costs.Item("a", 10, "x"), costs.Item("b", 2, "y")]
    assert costs.total(items, {"x": 0.5, "y": 3.0}) == (11.0, [])


def test_what_has_no_price_is_named_and_no_sum_hides_it(costs: ModuleType) -> None:
    items = [costs.Item("a", 10, "x"), costs.Item("b", 2, "y")]
    assert costs.total(items, {"x": 0.5, "y": None}) == (5.0, ["y"])
    text = costs.table("title", items, {"x": 0.5, "y": None}, "USD")
    assert re.search(r"b +2\.0 x y +\?", text)
    assert "at least" in text


@pytest.mark.parametrize(
    ("cpu", "memory", "share"),
    [pytest.param(0.5, 1.0, 0.5 / 7.5, id="cpu decides"), pytest.param(0.5, 14.0, 0.5, id="memory decides")],
)
def test_a_notebooks_part_of_a_node_is_what_it_takes_most_of(
    costs: ModuleType, cpu: float, memory: float, share: float
) -> None:
    assert costs.Profile(cpu=cpu, memory_gib=memory).node_share == pytest.approx(share)


def test_only_storage_is_paid_for_without_hours(costs: ModuleType) -> None:
    (node,) = [item for item in costs.person(costs.Profile(), 0) if item.price == "notebook_node_hour"]
    assert node.amount == 0


def test_every_price_that_is_asked_for_is_in_the_file_with_its_page(costs: ModuleType) -> None:
    known = yaml.safe_load(costs.PRICES.read_text())["prices"]
    people = [item for storage in ("disk", "gcs") for item in costs.person(costs.Profile(storage=storage), 1)]
    assert {item.price for item in [*costs.idle(), *people]} == set(known)
    for each in known.values():
        assert each["page"].startswith("https://cloud.google.com/")


def test_prices_have_their_day(costs: ModuleType) -> None:
    known = yaml.safe_load(costs.PRICES.read_text())
    given = [each["price"] for each in known["prices"].values() if each["price"] is not None]
    assert known["date"] or not given


def test_it_counts_the_profile_that_is_the_default(costs: ModuleType) -> None:
    page = (CHECKOUT / "docs/settings.md").read_text()
    profile = costs.Profile()
    assert "| `profiles.<name>.cpu` | `500m` |" in page
    assert profile.cpu == 0.5
    assert f"| `profiles.<name>.memory` | `{profile.memory_gib:.0f}Gi` |" in page
    assert f"| `profiles.<name>.storage.size` | `{profile.storage_gib:.0f}Gi` |" in page


def test_it_says_a_sum_or_what_is_to_be_filled_in() -> None:
    command = [sys.executable, SCRIPT, "--users", "3", "--hours", "80"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "missing in prices.yaml: " in done.stdout or "3 people: " in done.stdout
