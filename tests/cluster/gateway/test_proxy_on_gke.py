"""infra/cluster/proxy: what is applied, judged by the real API server and by the server that it starts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.gateway.gateways import Object, Server, outputs
from kupyterhub_proxy import server as proxy_server
from kupyterhub_proxy.identities.settings import Iap, Oidc
from kupyterhub_proxy.settings import read

PATHS = {
    "ConfigMap": "/api/v1/namespaces/kupyterhub-proxy/configmaps",
    "Deployment": "/apis/apps/v1/namespaces/kupyterhub-proxy/deployments",
    "Gateway": "/apis/gateway.networking.k8s.io/v1/namespaces/kupyterhub-proxy/gateways",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/kupyterhub-proxy/httproutes",
    "Namespace": "/api/v1/namespaces",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/kupyterhub-proxy/networkpolicies",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/kupyterhub-proxy/poddisruptionbudgets",
    "Service": "/api/v1/namespaces/kupyterhub-proxy/services",
    "ServiceAccount": "/api/v1/namespaces/kupyterhub-proxy/serviceaccounts",
}
# GKE's own kinds are in no package registry. What they may say, from their published schemas:
# github.com/GoogleCloudPlatform/gke-gateway-api, config/crd.
GKE = {
    "GCPBackendPolicy": {
        "timeoutSec",
        "connectionDraining.drainingTimeoutSec",
        "iap.enabled",
        "iap.clientID",
        "iap.oauth2ClientSecret.name",
    },
    "GCPGatewayPolicy": {"sslPolicy"},
    "HealthCheckPolicy": {
        "checkIntervalSec",
        "timeoutSec",
        "config.type",
        "config.httpHealthCheck.portSpecification",
        "config.httpHealthCheck.port",
        "config.httpHealthCheck.requestPath",
    },
}


def one(objects: list[Object], kind: str, name: str = "proxy") -> Object:
    (found,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def pod(objects: list[Object]) -> Object:
    spec: Object = one(objects, "Deployment")["spec"]["template"]["spec"]
    return spec


def environment(objects: list[Object]) -> dict[str, str]:
    (container,) = pod(objects)["containers"]
    return {each["name"]: each.get("value", "").replace("$(POD_IP)", "10.4.0.7") for each in container["env"]}


def test_the_api_server_takes_every_object_as_it_is(objects: list[Object], server: Server) -> None:
    for manifest in objects:
        if manifest["kind"] in GKE:
            continue
        answer = server.dry_run(f"{PATHS[manifest['kind']]}/{manifest['metadata']['name']}", manifest)
        assert answer.ok, answer.text
        assert "Warning" not in answer.headers, answer.headers["Warning"]  # so the restricted standard says


def test_a_field_that_is_none_would_be_noticed(objects: list[Object], server: Server) -> None:
    gateway = one(objects, "Gateway")
    answer = server.dry_run(f"{PATHS['Gateway']}/proxy", {**gateway, "spec": {**gateway["spec"], "listener": []}})
    assert not answer.ok
    assert "listener: field not declared in schema" in answer.text


def test_its_pods_are_let_into_the_namespace(objects: list[Object], server: Server) -> None:
    account = one(objects, "ServiceAccount")
    accounts = f"{server.url}{PATHS['ServiceAccount']}"
    server.session.post(accounts, json=account).raise_for_status()
    try:
        template = one(objects, "Deployment")["spec"]["template"]
        manifest = {"apiVersion": "v1", "kind": "Pod", **template, "metadata": {"generateName": "proxy-"}}
        answer = server.session.post(
            f"{server.url}/api/v1/namespaces/kupyterhub-proxy/pods", params={"dryRun": "All"}, json=manifest
        )
        assert answer.status_code == 201, answer.text
    finally:
        server.session.delete(f"{accounts}/proxy").raise_for_status()


def test_gkes_own_kinds_say_what_they_may(objects: list[Object]) -> None:
    ours = {(each["kind"], each["metadata"]["name"]) for each in objects}
    for policy in (each for each in objects if each["kind"] in GKE):
        target = policy["spec"]["targetRef"]
        assert (target["kind"], target["name"]) in ours
        assert target["group"] == ("gateway.networking.k8s.io" if target["kind"] == "Gateway" else "")
        assert set(fields(policy["spec"]["default"])) <= GKE[policy["kind"]]


def fields(value: Object, prefix: str = "") -> list[str]:
    found = []
    for key, inner in value.items():
        found += fields(inner, f"{prefix}{key}.") if isinstance(inner, dict) else [f"{prefix}{key}"]
    return found


def test_nothing_is_left_to_fill_in(objects: list[Object]) -> None:
    words = set(re.findall(r"\b[A-Z][A-Z_]+\b", " ".join(strings(objects))))
    assert words <= {"HTTP", "HTTPS", "TCP", "UDP", "ALL", "USE_FIXED_PORT", "POD_IP"}
    gateway = one(objects, "Gateway")
    assert gateway["metadata"]["annotations"] == {"networking.gke.io/certmap": "kupyterhub-map"}
    assert {each["hostname"] for each in gateway["spec"]["listeners"]} == {"*.notebooks.example.org"}
    assert not [each for each in objects if each["metadata"]["name"] == "proxy-values"]


def strings(value: Any) -> Iterator[str]:
    """All values that are text, names left out."""
    if isinstance(value, dict):
        yield from (text for key, inner in value.items() if key != "name" for text in strings(inner))
    elif isinstance(value, list):
        yield from (text for inner in value for text in strings(inner))
    elif isinstance(value, str):
        yield value


def test_the_server_starts_with_what_its_deployment_says(objects: list[Object], tmp_path: Path) -> None:
    told = environment(objects)
    data = one(objects, "ConfigMap")["data"]
    secrets = {"session-key": "k" * 64, "client-secret": "secret"}
    for name, text in {**data, **secrets}.items():
        (tmp_path / name).write_text(text)
    here = {name: value.replace("/etc/kupyterhub/installation", str(tmp_path)) for name, value in told.items()}
    settings = read({name: value.replace("/etc/kupyterhub/secret", str(tmp_path)) for name, value in here.items()})
    assert settings.hosts.domain == "notebooks.example.org"
    assert settings.listen == ("10.4.0.7", 8080)
    assert settings.health_listen == ("10.4.0.7", 8081)
    assert settings.topic == "projects/p/topics/agent-events"
    assert isinstance(settings.identity, Oidc | Iap)
    assert settings.replicas == one(objects, "Deployment")["spec"]["replicas"]
    assert settings.tls is None


def test_its_files_are_mounted_where_it_is_told_they_are(objects: list[Object]) -> None:
    (container,) = pod(objects)["containers"]
    folders = [mount["mountPath"] for mount in container["volumeMounts"]]
    files = [value for value in environment(objects).values() if value.startswith("/etc")]
    assert files
    assert {value.rpartition("/")[0] for value in files} == set(folders)
    data = set(one(objects, "ConfigMap")["data"])
    assert data == {value.rpartition("/")[2] for value in files if "/installation/" in value}


def test_whoever_uses_it_can_finish_when_it_ends(objects: list[Object]) -> None:
    (container,) = pod(objects)["containers"]
    heard = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    ending = proxy_server._DRAIN_SECONDS + proxy_server._STOP_SECONDS + 2  # and what is to publish
    assert pod(objects)["terminationGracePeriodSeconds"] >= heard + ending
    assert one(objects, "Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_all_of_it_is_in_a_namespace_whose_secrets_no_agent_reads(objects: list[Object]) -> None:
    (namespace,) = [each for each in objects if each["kind"] == "Namespace"]
    assert namespace["metadata"]["name"] == "kupyterhub-proxy"
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {each["metadata"]["namespace"] for each in objects if each is not namespace} == {"kupyterhub-proxy"}


def test_services_and_policies_choose_its_pods(objects: list[Object]) -> None:
    labels = one(objects, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    for service in ("proxy", "proxy-agents", "proxy-agents-outside"):
        assert one(objects, "Service", service)["spec"]["selector"].items() <= labels
    for kind, name, field in (
        ("PodDisruptionBudget", "proxy", "selector"),
        ("NetworkPolicy", "proxy", "podSelector"),
    ):
        assert one(objects, kind, name)["spec"][field]["matchLabels"].items() <= labels
    assert one(objects, "Service", "proxy-agents")["spec"]["clusterIP"] == "None"


def test_agents_come_in_past_identity_aware_proxy(objects: list[Object]) -> None:
    (agents,) = one(objects, "HTTPRoute", "proxy-agents")["spec"]["rules"]
    (backend,) = agents["backendRefs"]
    assert one(objects, "HTTPRoute", "proxy-agents")["spec"]["hostnames"] == ["agents.notebooks.example.org"]
    assert "iap" not in one(objects, "GCPBackendPolicy", backend["name"])["spec"]["default"]
    people = one(objects, "GCPBackendPolicy")["spec"]["default"]
    assert ("iap" in people) == (environment(objects)["KUPYTERHUB_IDENTITY"] == "iap")


def test_plain_http_ends_in_a_redirect(objects: list[Object]) -> None:
    plain = [
        each
        for each in objects
        if each["kind"] == "HTTPRoute" and each["spec"]["parentRefs"][0]["sectionName"] == "http"
    ]
    (rule,) = plain[0]["spec"]["rules"]
    assert len(plain) == 1
    assert "backendRefs" not in rule
    assert rule["filters"][0]["requestRedirect"]["scheme"] == "https"


@pytest.mark.parametrize("output", ["agent_issuer", "gateway", "images", "proxy"])
def test_an_installation_without_a_proxy_on_gke_is_told_so(overlay: Any, output: str) -> None:
    for missing in ({}, {output: {"value": None}}):
        given = {name: value for name, value in outputs("oidc").items() if name != output}
        with pytest.raises(overlay.OverlayError, match=rf"output {output} is missing or null.*proxy_on = \"gke\""):
            overlay.files({**given, **missing}, "../proxy")


def test_an_identity_that_lacks_something_is_told_what(overlay: Any) -> None:
    said = outputs("iap")
    said["proxy"]["value"]["identity"] = {"mode": "iap", "audience": "a", "client_id": None}
    with pytest.raises(overlay.OverlayError, match=r"mode iap needs identity\.client_id"):
        overlay.files(said, "../proxy")
