"""The twins keep the contracts that the real adapters keep."""

from collections.abc import Callable

import pytest

from contracts import ClusterContract, People, UsersContract
from twins import FakeClock, FakeCluster, FakeUsers


class TestFakeUsers(UsersContract):
    @pytest.fixture
    def users(self) -> FakeUsers:
        return FakeUsers(FakeClock())

    @pytest.fixture
    def people(self, users: FakeUsers) -> People:
        return users


class TestFakeCluster(ClusterContract):
    @pytest.fixture
    def cluster(self) -> FakeCluster:
        return FakeCluster(FakeClock())

    @pytest.fixture
    def settle(self, cluster: FakeCluster) -> Callable[[], None]:
        return cluster.settle

    def test_storage_stays_while_a_pod_uses_it(self, cluster: FakeCluster) -> None:
        labels = {"app.kubernetes.io/instance": "ada"}
        claim = {"kind": "PersistentVolumeClaim", "metadata": {"name": "home-ada", "labels": labels}}
        cluster.create(claim)
        cluster.apply(
            {
                "kind": "Deployment",
                "metadata": {"name": "jupyterlab-ada"},
                "spec": {"template": {"metadata": {"labels": labels}}},
            }
        )
        cluster.settle()

        assert cluster.delete_claim("ada") is False
        cluster.settle()
        assert cluster.delete_claim("ada") is False

        cluster.drop("Deployment", "jupyterlab-ada")
        cluster.settle()
        assert cluster.delete_claim("ada") is True
