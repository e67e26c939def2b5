"""What infra/deploy/costs.py counts is what Terraform makes by default."""

from collections.abc import Callable
from types import ModuleType

import pytest

from terraform import scripts
from terraform.roots import Plan

Way = Callable[[str], Plan]


@pytest.fixture(scope="module")
def costs() -> ModuleType:
    return scripts.load("infra/deploy/costs.py")


@pytest.mark.parametrize("name", ["system", "default"])
def test_nodes_are_those_of_the_pools(name: str, costs: ModuleType, system_plan: Way) -> None:
    counted = {"system": costs.SYSTEM, "default": costs.NOTEBOOKS}[name]
    (node,) = system_plan("self-hosted").of("google_container_node_pool")[f'pools["{name}"]']["node_config"]
    assert (node["machine_type"], node["disk_size_gb"]) == (counted.machine_type, counted.disk_gib)
    assert node["disk_type"] == "pd-balanced"


def test_idle_is_one_node_of_the_system_pool_and_none_of_notebooks(costs: ModuleType, system_plan: Way) -> None:
    pools = system_plan("self-hosted").of("google_container_node_pool")
    least = {name: pool["autoscaling"][0]["total_min_node_count"] for name, pool in pools.items()}
    assert least == {'pools["default"]': 0, 'pools["system"]': 1}
    (nodes,) = [item for item in costs.idle() if item.price == costs.SYSTEM.price]
    assert nodes.amount == costs.HOURS


def test_idle_has_as_many_zones_and_alerts_as_the_plan(costs: ModuleType, system_plan: Way) -> None:
    plan = system_plan("self-hosted")
    amounts = {item.price: item.amount for item in costs.idle()}
    assert amounts["dns_zone_month"] == len(plan.of("google_dns_managed_zone"))
    alerts = plan.of("google_monitoring_alert_policy").values()
    assert amounts["alert_month"] == sum(len(alert["conditions"]) for alert in alerts)


def test_functions_are_called_as_often_as_scheduler_says(costs: ModuleType, system_plan: Way) -> None:
    jobs = system_plan("self-hosted").of("google_cloud_scheduler_job")
    schedules = {job["schedule"] for name, job in jobs.items() if name.startswith("resync[")}
    assert schedules == {"* * * * *", "0 * * * *"}
    (calls,) = [item for item in costs.idle() if item.price == "function_call"]
    assert calls.amount == 61 * costs.HOURS
