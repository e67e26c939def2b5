# ruff: noqa: INP001 - a script, of no package
"""Says what an installation costs in a month, from the prices in prices.yaml and what it is made of.

    costs.py --users 30 --hours 80 [--storage disk|gcs] [--prices FILE]

Idle is what is paid for when nobody has a notebook. What a person costs is their part of a node while the notebook
runs, and their storage always. Traffic to the internet and logs are not in it, nor what Google gives for free.
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
class Pool:
    """A node of a pool, as infra/gcp/system makes it by default."""

    machine_type: str
    disk_gib: float
    price: str
    """Of the machine, by its key."""

    def nodes(self, what: str, hours: float) -> list[Item]:
        """Give what nodes cost that run for so many hours together: machine, disk, and their way out."""
        return [
            Item(f"{what}, {self.machine_type}", hours, self.price),
            Item(f"its disk, {self.disk_gib:.0f} GiB", self.disk_gib * hours / HOURS, "disk_gib_month"),
            Item("Cloud NAT, for it", hours, "nat_node_hour"),
        ]


SYSTEM = Pool("e2-standard-4", 50, "system_node_hour")
NOTEBOOKS = Pool("e2-standard-8", 100, "notebook_node_hour")
NODE_CPU, NODE_MEMORY_GIB, NODE_EPHEMERAL_GIB = 7.5, 28.0, 43.8
"""What is left for pods of an e2-standard-8: about half a CPU and 4 GiB are Kubernetes' own, and of the disk
https://cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes#local_ephemeral_storage_reservation
"""
SIDECAR_CPU, SIDECAR_MEMORY_GIB, SIDECAR_EPHEMERAL_GIB = 0.25, 0.25, 5.0
"""What the program that mounts a bucket asks for beside the notebook:
https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/cmd/webhook/main.go
"""


@dataclass(frozen=True)
class Profile:
    """What one person has, as the variable `profiles` says."""

    cpu: float = 0.5
    memory_gib: float = 1.0
    ephemeral_gib: float = 3.0
    storage_gib: float = 10.0
    storage: str = "disk"

    @property
    def node_share(self) -> float:
        """The part of a node that one notebook takes, on a node that is full."""
        mounted = self.storage == "gcs"
        cpu = self.cpu + SIDECAR_CPU * mounted
        memory_gib = self.memory_gib + SIDECAR_MEMORY_GIB * mounted
        ephemeral_gib = self.ephemeral_gib + SIDECAR_EPHEMERAL_GIB * mounted
        return max(cpu / NODE_CPU, memory_gib / NODE_MEMORY_GIB, ephemeral_gib / NODE_EPHEMERAL_GIB)


def idle() -> list[Item]:
    """What the defaults of infra/gcp cost without users: `proxy = "self-hosted"` on GKE, Standard."""
    return [
        Item("cluster", HOURS, "cluster_hour"),
        *SYSTEM.nodes("one node of the system pool", HOURS),
        Item("Cloud NAT, its address", HOURS, "nat_address_hour"),
        Item("forwarding rules of the Gateway, two", HOURS, "forwarding_rules_hour"),
        Item("private DNS zones", 3, "dns_zone_month"),
        Item("functions: resync each minute and each hour", 60 * HOURS + HOURS, "function_call"),
        Item("images of 20 releases, of which most is shared", 10, "registry_gib_month"),
        Item("alerts", 4, "alert_month"),
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
        *NOTEBOOKS.nodes("part of a node", profile.node_share * hours),
        *stored,
        # The user, and who holds the name.
        Item("documents read by the hourly resync, two", 2 * HOURS, "firestore_read"),
    ]


def total(items: Iterable[Item], prices: Mapping[str, float | None]) -> tuple[float, list[str]]:
    """Add up what has a price; and give the names of the prices that are missing."""
    items = list(items)
    missing = sorted({item.price for item in items if prices[item.price] is None})
    return sum(item.amount * (prices[item.price] or 0.0) for item in items), missing


def table(title: str, items: Iterable[Item], prices: Mapping[str, float | None]) -> str:
    """Give lines of text, with a `?` for what has no price."""
    items = list(items)
    lines = [title]
    for item in items:
        price = prices[item.price]
        shown = "?" if price is None else f"{item.amount * price:.2f}"
        lines.append(f"  {item.what:47} {item.amount:>9.2f} x {item.price:21} {shown:>9}")
    cost, missing = total(items, prices)
    lines.append(f"  {'together' if not missing else 'at least':81} {cost:>9.2f}")
    return "\n".join(lines)


def origin(known: Mapping[str, Any]) -> str:
    """Say whose prices these are, and whether somebody compared them with Google's pages."""
    checked = known["checked"]
    standing = f"read on {checked}" if checked else "AN EXAMPLE, which nobody compared with Google's pages"
    return f"Prices of {known['region']} in {known['currency']}, {standing}"


def report(known: Mapping[str, Any], *, users: int, hours: float, storage: str) -> str:
    """Give both tables and the sum; `known` is what prices.yaml, or another file like it, says."""
    prices = {name: each["price"] for name, each in known["prices"].items()}
    each_person = person(Profile(storage=storage), hours)
    everything, missing = total([*idle(), *each_person * users], prices)
    lines = [
        origin(known),
        table("idle, a month", idle(), prices),
        table(f"one person, a month, {hours:g} hours", each_person, prices),
        f"idle and {users} people: {'at least ' if missing else ''}{everything:.2f} {known['currency']} a month",
    ]
    if missing:
        lines.append(f"left out, since the price is null: {', '.join(missing)}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print what is asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--hours", type=float, required=True, help="for which a person's notebook runs in a month")
    parser.add_argument("--storage", choices=["disk", "gcs"], default="disk")
    parser.add_argument("--prices", type=Path, default=PRICES, help="a copy of prices.yaml with those of your region")
    asked = parser.parse_args()
    known = yaml.safe_load(asked.prices.read_text())
    sys.stdout.write(report(known, users=asked.users, hours=asked.hours, storage=asked.storage))


if __name__ == "__main__":
    main()
