# ruff: noqa: INP001 - a script, of no package
"""Says what an installation costs in a month, from the prices in prices.yaml and what it is made of.

    costs.py --users 30 --hours 80 [--storage disk|gcs]

Idle is what is paid for when nobody has a notebook. What a person costs is their part of a node while the notebook
runs, and their storage always. Traffic to the internet and logs are not in it.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PRICES = Path(__file__).with_name("prices.yaml")
HOURS = 730.0
"""Of a month, as Google counts."""


@dataclass(frozen=True)
class Item:
    """So much of something with a price, in a month."""

    what: str
    amount: float
    price: str
    """The key in prices.yaml."""


@dataclass(frozen=True)
class Profile:
    """What one person has, as the variable `profiles` says, on nodes of the pool that it is scheduled to."""

    cpu: float = 0.5
    memory_gib: float = 1.0
    storage_gib: float = 10.0
    storage: str = "disk"
    node_cpu: float = 7.5
    """What is left for pods of an e2-standard-8: about half a CPU and 4 GiB are Kubernetes' own."""
    node_memory_gib: float = 28.0

    @property
    def node_share(self) -> float:
        """The part of a node that one notebook takes, on a node that is full."""
        return max(self.cpu / self.node_cpu, self.memory_gib / self.node_memory_gib)


def idle() -> list[Item]:
    """What the defaults of infra/gcp cost without users: `proxy = "self-hosted"` on GKE, Standard."""
    return [
        Item("cluster", HOURS, "cluster_hour"),
        Item("one node of the system pool", HOURS, "system_node_hour"),
        Item("its disk, 50 GiB", 50, "disk_gib_month"),
        Item("two forwarding rules of the Gateway", 2 * HOURS, "forwarding_rule_hour"),
        Item("Cloud NAT", HOURS, "nat_hour"),
        Item("functions: resync each minute and each hour", 60 * HOURS + HOURS, "function_call"),
        Item("images of 20 releases, of which most is shared", 10, "registry_gib_month"),
    ]


def person(profile: Profile, hours: float) -> list[Item]:
    """What a person adds who has a notebook for so many hours of the month."""
    stored = (
        [
            Item("disk", profile.storage_gib, "disk_gib_month"),
            Item("snapshots, as large as the disk is full: half", profile.storage_gib / 2, "snapshot_gib_month"),
        ]
        if profile.storage == "disk"
        else [Item("files in the bucket: half of a disk", profile.storage_gib / 2, "bucket_gib_month")]
    )
    return [
        Item("part of a node while the notebook runs", profile.node_share * hours, "notebook_node_hour"),
        *stored,
        Item("documents read by the hourly resync", HOURS, "firestore_read"),
    ]


def total(items: Iterable[Item], prices: Mapping[str, float | None]) -> tuple[float, list[str]]:
    """Add up what has a price; and give the names of the prices that are missing."""
    items = list(items)
    missing = sorted({item.price for item in items if prices[item.price] is None})
    return sum(item.amount * (prices[item.price] or 0.0) for item in items), missing


def table(title: str, items: Iterable[Item], prices: Mapping[str, float | None], currency: str) -> str:
    """Give lines of text, with a `?` for what has no price."""
    items = list(items)
    lines = [title]
    for item in items:
        price = prices[item.price]
        shown = "?" if price is None else f"{item.amount * price:.2f}"
        lines.append(f"  {item.what:50} {item.amount:>9.1f} x {item.price:22} {shown:>9}")
    cost, missing = total(items, prices)
    lines.append(f"  {'together' if not missing else 'at least':85} {cost:>9.2f} {currency}")
    return "\n".join(lines)


def main() -> None:
    """Print both tables, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--hours", type=float, required=True, help="for which a person's notebook runs in a month")
    parser.add_argument("--storage", choices=["disk", "gcs"], default="disk")
    asked = parser.parse_args()
    known: Mapping[str, Any] = yaml.safe_load(PRICES.read_text())
    prices = {name: each["price"] for name, each in known["prices"].items()}
    each_person = person(Profile(storage=asked.storage), asked.hours)
    everything, missing = total([*idle(), *each_person * asked.users], prices)
    for title, items in (("idle, a month", idle()), ("one person, a month", each_person)):
        sys.stdout.write(table(title, items, prices, known["currency"]) + "\n")
    if missing:
        sys.stdout.write(f"missing in {PRICES.name}: {', '.join(missing)}\n")
    else:
        sys.stdout.write(f"{asked.users} people: {everything:.2f} {known['currency']} (prices of {known['date']})\n")


if __name__ == "__main__":
    main()
