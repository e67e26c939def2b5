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
        template = {"metadata": {"labels": labels}}
        cluster.create({"kind": "PersistentVolumeClaim", "metadata": {"name": "home-ada", "labels": labels}})
        cluster.create({"kind": "Deployment", "metadata": {"name": "jupyterlab-ada"}, "spec": {"template": template}})
        cluster.settle()

        for _ in range(2):
            claim = cluster.read_claim("ada")
            assert claim is not None
            assert cluster.delete_claim(claim) is False
            cluster.settle()
        cluster.drop("Deployment", "jupyterlab-ada")
        cluster.settle()

        assert cluster.read_claim("ada") is None
