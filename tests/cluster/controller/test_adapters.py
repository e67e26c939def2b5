"""The real adapters keep the contracts that the twins keep."""

from collections.abc import Callable, Iterator

import pytest

from cluster.controller.alone import Alone, make_namespace
from cluster.controller.system import System, until
from contracts import ClusterContract, People, UsersContract, fresh
from kupyterhub.ports import Cluster, Users


@pytest.fixture(scope="module")
def shared(system: System) -> Iterator[Alone]:
    """One project and namespace for all: contracts use fresh names."""
    mark = fresh("contracts")
    make_namespace(system.kube, mark)
    shared = Alone(system, mark)
    yield shared
    shared.close()


class TestUserStore(UsersContract):
    @pytest.fixture
    def users(self, shared: Alone) -> Users:
        return shared.users

    @pytest.fixture
    def people(self, shared: Alone) -> People:
        return shared


class TestCluster(ClusterContract):
    # Deployments count changes of their annotations as well (pkg/registry/apps/deployment/strategy.go), which costs
    # a look one more read of the document at most.
    test_generation_counts_changes_of_spec_alone = None

    @pytest.fixture
    def cluster(self, shared: Alone) -> Cluster:
        return shared.cluster

    @pytest.fixture
    def settle(self, shared: Alone) -> Callable[[], None]:
        def no_claim_is_going() -> bool:
            claims = shared.kube.items("api/v1", "persistentvolumeclaims", shared.namespace)
            return not any("deletionTimestamp" in claim["metadata"] for claim in claims)

        return lambda: until(no_claim_is_going, "deleted claims are gone") and None
