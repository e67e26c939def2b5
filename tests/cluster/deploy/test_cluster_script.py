"""infra/deploy/cluster.sh, against a real API server."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import local_system
from needed import need

CHECKOUT = Path(__file__).resolve().parents[3]
FUNCTIONS = "kupyterhub-resync@my-project.iam.gserviceaccount.com"
HOSTED: dict[str, Any] = {
    "accounts": {"value": {"resync": FUNCTIONS, "build": "kupyterhub-build@my-project.iam.gserviceaccount.com"}},
    "cluster": {"value": {"name": "kupyterhub", "location": "europe-west1"}},
    "dead_letters": {"value": {"resync": {}}},
    "notebooks_bucket": {"value": "notebooks"},
}
CLOUD_RUN = HOSTED | {
    "dns_records": {"value": {"wildcard": {"data": "203.0.113.7"}}},
    "proxy": {"value": {"admins": [], "identity": {"mode": "oidc"}, "topic": "agent-events"}},
}


# Where pods reach the control plane. An API server that listens on loopback makes none: such addresses are refused.
CONTROL_PLANE = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": "kubernetes"},
    },
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["172.16.0.2"]}],
    "ports": [{"name": "https", "port": 443, "protocol": "TCP"}],
}


class Cluster:
    """A control plane of its own, since the script applies a StorageClass that others have another of."""

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(kubeconfig), "PROJECT": "my-project"}
        self._outputs = folder / "outputs.json"

    def kubectl(self, *arguments: str) -> str:
        command = ["kubectl", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create(self, manifest: dict[str, Any]) -> None:
        file = self._outputs.with_name("manifest.json")
        file.write_text(json.dumps(manifest))
        self.kubectl("create", "-f", str(file))

    def apply(self, outputs: dict[str, Any] | None) -> str:
        self._outputs.write_text(json.dumps(outputs))
        command = [CHECKOUT / "infra/deploy/cluster.sh", *([self._outputs] if outputs else [])]
        done = subprocess.run(
            command, env=self._environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", kind, name, "-n", "kupyterhub", "-o", "json"))
        return found

    def names(self, kind: str) -> set[str]:
        return set(self.kubectl("get", kind, "-n", "kupyterhub", "-o", "name").split())

    def may(self, verb: str, kind: str) -> bool:
        """Whether the functions' account may do something; RBAC knows it by its e-mail."""
        command = ["kubectl", "auth", "can-i", verb, kind, "-n", "kupyterhub", f"--as={FUNCTIONS}"]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip() == "yes"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    need("kubectl")
    with local_system.control_plane(tmp_path_factory.mktemp("deployed")) as running:
        cluster = Cluster(running.admin_kubeconfig, tmp_path_factory.mktemp("outputs"))
        cluster.kubectl("delete", "storageclass", "kupyterhub")
        cluster.create(CONTROL_PLANE)
        yield cluster


def test_what_functions_rely_on_can_be_there_before_them(cluster: Cluster) -> None:
    cluster.kubectl("delete", "priorityclass", "kupyterhub-serving")
    cluster.kubectl("delete", "resourcequota", "kupyterhub", "-n", "kupyterhub")
    cluster.apply(None)
    assert cluster.names("priorityclasses") >= {"priorityclass.scheduling.k8s.io/kupyterhub-serving"}
    assert not cluster.names("resourcequotas")


def test_a_cluster_becomes_what_infra_cluster_says(cluster: Cluster) -> None:
    cluster.apply(CLOUD_RUN)
    assert cluster.get("storageclass", "kupyterhub")["provisioner"] == "pd.csi.storage.gke.io"
    assert cluster.may("patch", "deployments")
    assert not cluster.may("create", "roles")
    assert {"default-deny", "jupyterlab", "shared-agent"} <= {
        name.partition("/")[2] for name in cluster.names("networkpolicies")
    }


def test_the_shared_agent_reaches_the_control_plane_where_it_is(cluster: Cluster) -> None:
    cluster.apply(CLOUD_RUN)
    policy = cluster.get("networkpolicy", "shared-agent")
    assert policy["spec"]["egress"][0]["to"] == [{"ipBlock": {"cidr": "172.16.0.2/32"}}]


def test_a_second_time_changes_nothing(cluster: Cluster) -> None:
    cluster.apply(CLOUD_RUN)
    kinds = "roles,rolebindings,networkpolicies,resourcequotas,poddisruptionbudgets,priorityclasses"
    versions = "jsonpath={range .items[*]}{.kind}/{.metadata.name}={.metadata.resourceVersion} {end}"
    before = cluster.kubectl("get", kinds, "-n", "kupyterhub", "-o", versions)
    cluster.apply(CLOUD_RUN)
    assert cluster.kubectl("get", kinds, "-n", "kupyterhub", "-o", versions) == before


@pytest.mark.parametrize(
    ("policy", "its_way", "another"),
    [
        pytest.param("cloud-run-agents", CLOUD_RUN, HOSTED, id="a load balancer with the proxy on Cloud Run"),
        pytest.param("hosted-agents", HOSTED, CLOUD_RUN, id="the metadata server with the hosted proxy"),
    ],
)
def test_agents_reach_alone(cluster: Cluster, policy: str, its_way: dict[str, Any], another: dict[str, Any]) -> None:
    named = f"networkpolicy.networking.k8s.io/{policy}"
    cluster.apply(its_way)
    assert named in cluster.names("networkpolicies")
    cluster.apply(another)
    assert named not in cluster.names("networkpolicies")
