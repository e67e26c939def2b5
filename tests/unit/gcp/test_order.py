"""In which order Terraform makes things: what Google wants there, or seen everywhere, before."""

from collections.abc import Callable
from functools import cache

import pytest

from terraform.roots import Plan
from terraform.ways import WAYS

BEFORE = {
    "principals of the identity pool are known once a cluster has made it": (
        "google_pubsub_topic_iam_member.accounts",
        "google_container_cluster.cluster",
    ),
    "an alert's log metric is known some minutes after it was made": (
        "google_monitoring_alert_policy.alerts",
        "google_cloudfunctions2_function.functions",
    ),
    "nodes have their rights when they are made": (
        "google_container_cluster.cluster",
        "google_project_iam_member.accounts",
    ),
    "an API is on before it is asked": ("google_container_cluster.cluster", "google_project_service.apis"),
}


def all_before(edges: dict[str, set[str]], resource: str) -> set[str]:
    @cache
    def before(each: str) -> frozenset[str]:
        return frozenset({each}.union(*(before(other) for other in edges.get(each, ()))))

    return set(before(resource))


@pytest.mark.parametrize("why", BEFORE)
def test_what_google_wants_before_is_made_before(edges: dict[str, set[str]], why: str) -> None:
    later, earlier = BEFORE[why]
    assert earlier in all_before(edges, later)


@pytest.mark.parametrize("way", WAYS)
def test_no_grant_to_a_principal_of_the_identity_pool_comes_before_the_cluster(
    way: str, system_plan: Callable[[str], Plan], edges: dict[str, set[str]]
) -> None:
    plan = system_plan(way)
    grants = [
        f"{kind}.{address.partition('[')[0]}"
        for kind in plan.types
        for address, grant in plan.of(kind).items()
        if ".svc.id.goog" in str(grant.get("member", "")) + str(grant.get("members", ""))
    ]
    assert bool(grants) is (way not in {"hosted", "hosted-portal", "cloud-run"})
    for resource in grants:
        assert "google_container_cluster.cluster" in all_before(edges, resource)
