"""The control plane of the local system, and what infra/cluster makes of a namespace."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import jwt
import pytest
import yaml
from kubernetes import client, config
from kubernetes.client import ApiException

from kupyterhub_local.state import CHECKOUT
from local_system import RunningControlPlane


def connect(kubeconfig: Any) -> client.ApiClient:
    return config.new_client_from_config(str(kubeconfig))


@pytest.fixture
def functions(control_plane: RunningControlPlane) -> client.ApiClient:
    return connect(control_plane.controller_kubeconfig)


@pytest.fixture
def admin(control_plane: RunningControlPlane) -> client.ApiClient:
    return connect(control_plane.admin_kubeconfig)


def config_of(pod: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "try-"}, "spec": pod}


RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def container(security: dict[str, Any], **more: Any) -> dict[str, Any]:
    requests = {"cpu": "1m", "memory": "1Mi"}
    return {"name": "c", "image": "none", "securityContext": security, "resources": {"requests": requests}} | more


def test_the_functions_reach_their_namespace_and_nothing_else(functions: client.ApiClient) -> None:
    assert client.AppsV1Api(functions).list_namespaced_deployment("kupyterhub").items == []
    for refused in (
        lambda: client.CoreV1Api(functions).list_namespaced_secret("kube-system"),
        lambda: client.CoreV1Api(functions).list_node(),
        lambda: client.CoreV1Api(functions).create_namespaced_pod(
            "kupyterhub", config_of({"containers": [container(RESTRICTED)]})
        ),
    ):
        with pytest.raises(ApiException) as raised:
            refused()
        assert raised.value.status == 403


def test_a_pod_that_is_not_restricted_is_refused(admin: client.ApiClient) -> None:
    pod = config_of({"containers": [container(RESTRICTED)], "hostNetwork": True})
    with pytest.raises(ApiException, match="violates PodSecurity") as raised:
        client.CoreV1Api(admin).create_namespaced_pod("kupyterhub", pod, dry_run="All")
    assert raised.value.status == 403


def test_a_restricted_pod_with_requests_is_accepted(admin: client.ApiClient) -> None:
    pod = config_of({"containers": [container(RESTRICTED)]})
    client.CoreV1Api(admin).create_namespaced_pod("kupyterhub", pod, dry_run="All")


def test_a_pod_without_requests_is_refused_by_the_quota(admin: client.ApiClient) -> None:
    pod = config_of({"containers": [container(RESTRICTED, resources={})]})
    with pytest.raises(ApiException, match=r"must specify requests\.cpu"):
        client.CoreV1Api(admin).create_namespaced_pod("kupyterhub", pod, dry_run="All")


@pytest.mark.parametrize("file", ["shared-agent", "hosted-agents", "cloud-run-agents"])
def test_the_policies_that_only_some_installations_need_are_accepted(admin: client.ApiClient, file: str) -> None:
    text = (CHECKOUT / f"infra/cluster/gke/{file}.yaml").read_text()
    policy = yaml.safe_load(text.replace("$CONTROL_PLANE", "10.0.0.2/32").replace("$LOAD_BALANCER", "203.0.113.7/32"))
    client.NetworkingV1Api(admin).create_namespaced_network_policy("kupyterhub", policy, dry_run="All")


def test_services_get_loopback_addresses_of_this_checkout(
    admin: client.ApiClient, control_plane: RunningControlPlane
) -> None:
    service = {"metadata": {"name": "try"}, "spec": {"ports": [{"port": 80}]}}
    made = client.CoreV1Api(admin).create_namespaced_service("kupyterhub", service, dry_run="All")
    assert made.spec.cluster_ip.startswith(str(control_plane.addresses.services).removesuffix("0.0/16"))


def test_tokens_are_verified_with_the_published_keys(control_plane: RunningControlPlane) -> None:
    kubeconfig = yaml.safe_load(control_plane.controller_kubeconfig.read_text())
    token = kubeconfig["users"][0]["user"]["token"]
    keys = jwt.PyJWKSet.from_dict(json.loads(control_plane.pki.jwks.read_text()))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=control_plane.server)
    assert claims["sub"] == "system:serviceaccount:kupyterhub:kupyterhub"
    assert claims["iss"] == control_plane.server


@pytest.fixture
def shared_agent(admin: client.ApiClient, control_plane: RunningControlPlane) -> Iterator[client.ApiClient]:
    """The API as the shared agent's pods reach it: with a token of their account, and the CA of the ConfigMap."""
    core = client.CoreV1Api(admin)
    # Other tests use this control plane too, and may have left what they made.
    with suppress(ApiException):
        core.delete_namespaced_service_account("agent", "kupyterhub")
    with suppress(ApiException):
        client.CoordinationV1Api(admin).delete_namespaced_lease("agent", "kupyterhub")
    core.create_namespaced_service_account("kupyterhub", {"metadata": {"name": "agent"}})
    token = core.create_namespaced_service_account_token("agent", "kupyterhub", {"spec": {"audiences": []}})
    authority = core.read_namespaced_config_map("kube-root-ca.crt", "kupyterhub").data["ca.crt"]
    configuration = client.Configuration(host=control_plane.server)
    configuration.ca_cert_data = authority
    configuration.api_key["authorization"] = f"Bearer {token.status.token}"
    yield client.ApiClient(configuration)
    core.delete_namespaced_service_account("agent", "kupyterhub")


def test_the_shared_agent_reads_services_and_secrets_and_holds_one_lease(shared_agent: client.ApiClient) -> None:
    core, leases = client.CoreV1Api(shared_agent), client.CoordinationV1Api(shared_agent)
    core.list_namespaced_service("kupyterhub")
    core.list_namespaced_secret("kupyterhub")
    leases.create_namespaced_lease("kupyterhub", {"metadata": {"name": "agent"}})
    leases.patch_namespaced_lease("agent", "kupyterhub", {"spec": {"holderIdentity": "pod"}})
    for refused in (
        lambda: core.list_namespaced_secret("kube-system"),
        lambda: core.list_namespaced_pod("kupyterhub"),
        lambda: core.delete_namespaced_secret("x", "kupyterhub"),
        lambda: core.create_namespaced_service("kupyterhub", {"metadata": {"name": "x"}}),
        lambda: client.AppsV1Api(shared_agent).list_namespaced_deployment("kupyterhub"),
        lambda: leases.patch_namespaced_lease("other", "kupyterhub", {"spec": {"holderIdentity": "pod"}}),
    ):
        with pytest.raises(ApiException) as raised:
            refused()
        assert raised.value.status == 403


def test_strangers_are_refused(control_plane: RunningControlPlane) -> None:
    trusted = ssl.create_default_context(cafile=control_plane.pki.ca)
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{control_plane.server}/version", context=trusted)  # noqa: S310 - https


async def test_the_servers_health_can_be_asked_for_after_the_start_as_a_restart_does(
    control_plane: RunningControlPlane,
) -> None:
    assert await control_plane.supervisor._services["kube-apiserver"].ready()
