"""Whether the project's quotas are enough; pure.

What Google counts, by the names of `gcloud compute regions describe` and `gcloud compute project-info describe`:
https://cloud.google.com/compute/resource-usage
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_POOL = {"machine_type": "e2-standard-8", "max_nodes": 10, "disk_gb": 100}
_SMALL = {"machine_type": "e2-standard-4", "max_nodes": 6, "min_nodes": 1, "disk_gb": 50}
_AUTOPILOT = Counter({"CPUS": 8, "SSD_TOTAL_GB": 200})
"""Pods of the system and two small notebooks."""
_COMMON = ("E2", "N1", "G2", "F1")
"""Families that count as `CPUS`; others have a metric of their own."""
_WHILE_IT_IS_MADE = Counter({"CPUS": 6, "DISKS_TOTAL_GB": 60})
"""The pool that a Standard cluster is made with and that is removed: a node of 2 CPUs in each of three zones."""


@dataclass(frozen=True)
class Short:
    """A quota that is not enough."""

    metric: str
    left: float
    least: int
    """So much is needed to begin."""
    most: int
    """So much when every pool is full."""

    @property
    def stops(self) -> bool:
        """Whether an installation fails by it."""
        return self.left < self.least


def short(
    decisions: Mapping[str, Any], region: Iterable[Mapping[str, Any]], project: Iterable[Mapping[str, Any]]
) -> Iterator[Short]:
    """Compare what is needed with the quotas of the region, and of the project where it has the metric, too."""
    least, most = needed(decisions)
    of_project = dict(_left(project))
    of_region = dict(_left(region))
    for counted in (least, most):
        counted["CPUS_ALL_REGIONS"] = sum(number for metric, number in counted.items() if metric.endswith("CPUS"))
        counted["GPUS_ALL_REGIONS"] = sum(number for metric, number in counted.items() if metric.endswith("_GPUS"))
    for metric in sorted(most):
        found = (of_project if metric.endswith("_ALL_REGIONS") else of_region).get(metric)
        # GPUs that the region does not list are not to be had there.
        found = 0 if found is None and metric.endswith("_GPUS") else found
        if found is not None and found < most[metric]:
            yield Short(metric, found, least[metric], most[metric])


def needed(decisions: Mapping[str, Any]) -> tuple["Counter[str]", "Counter[str]"]:
    """Give what is needed to begin, and what when every pool is full, by the metric's name."""
    if decisions.get("autopilot"):
        return Counter(_AUTOPILOT), Counter(_AUTOPILOT)
    system = {**_SMALL, **_said(decisions.get("system_pool"))}
    small = [system, system] if decisions.get("proxy") == "hosted" else [system]
    pools = [{**_POOL, **_said(pool)} for pool in (decisions.get("notebook_pools") or {"default": {}}).values()]
    least, most = Counter({"IN_USE_ADDRESSES": 1}), Counter({"IN_USE_ADDRESSES": 1})
    for pool in (*small, *pools):
        # One node of each kind of notebook, for a first person.
        least += _nodes(pool, max(1, pool.get("min_nodes", 0)))
        most += _nodes(pool, pool["max_nodes"])
    return least | _WHILE_IT_IS_MADE, most | _WHILE_IT_IS_MADE


def _said(part: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is written of a part: what is left empty has its default."""
    return {name: value for name, value in (part or {}).items() if value is not None}


def _nodes(pool: Mapping[str, Any], number: int) -> "Counter[str]":
    spot = "PREEMPTIBLE_" if pool.get("spot") else ""
    machine = str(pool["machine_type"])
    found = Counter({"SSD_TOTAL_GB": number * int(pool["disk_gb"])})
    if cpus := _cpus(machine):
        family = machine.partition("-")[0].upper()
        found["CPUS" if family in _COMMON else f"{family}_CPUS"] = number * cpus
    if gpu := _said(pool.get("gpu")):
        kind = str(gpu.get("type", "")).upper().replace("-", "_").replace("NVIDIA_TESLA_", "NVIDIA_")
        found[f"{spot}{kind}_GPUS"] = number * int(gpu.get("count", 1))
    return found


def _cpus(machine: str) -> int:
    """The virtual CPUs that a machine's name says; 0 where it says none, as those of A2 and A3 do."""
    shared = machine in ("e2-micro", "e2-small", "e2-medium")
    said = re.search(r"-(\d+)(?:-\d+)?$", machine)
    return 2 if shared else int(said[1]) if said else 0


def _left(quotas: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, float]]:
    for quota in quotas:
        yield str(quota["metric"]), float(quota["limit"]) - float(quota.get("usage", 0))
