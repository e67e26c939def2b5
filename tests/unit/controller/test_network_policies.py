"""What infra/cluster's NetworkPolicies mean, asked of pods as the controller makes them."""

from collections.abc import Iterable
from string import Template
from typing import Any

import pytest
import yaml

from kupyterhub.domain.installation import Installation
from kupyterhub.domain.manifests import shared_agent
from kupyterhub.domain.settings import Profile
from kupyterhub_local.state import CHECKOUT
from kupyterhub_rules.names import base_name
from network_policies import Host, Pod, Policies
from twins import World
from twins.world import IN_BUCKET

CLUSTER = CHECKOUT / "infra/cluster"
KUBE_SYSTEM = {"kubernetes.io/metadata.name": "kube-system"}
NAMESPACES = {
    "kupyterhub": {"kubernetes.io/metadata.name": "kupyterhub"},
    "kupyterhub-proxy": {"kubernetes.io/metadata.name": "kupyterhub-proxy"},
    "kube-system": KUBE_SYSTEM,
    "default": {"kubernetes.io/metadata.name": "default"},
}
METADATA = [(Host("169.254.169.254"), 80), (Host("169.254.169.252"), 988)]
GOOGLE_APIS = Host("199.36.153.8")
CONTROL_PLANE = Host("10.0.0.2")
INTERNET = Host("151.101.1.63")
INSIDE = {
    "node": Host("10.0.0.9"),
    "node's kubelet": Host("172.16.3.4"),
    "Service": Host("10.8.0.1"),
    "GKE's own range of Services": Host("34.118.224.1"),
    "class E pod": Host("240.0.0.7"),
    "shared address": Host("100.64.0.7"),
    "home network": Host("192.168.1.1"),
    "loopback": Host("127.0.0.1"),
    "another link-local": Host("169.254.1.1"),
}
SOMEBODY = Pod({"app": "web"}, "default", "10.4.0.99")
DNS = Pod({"k8s-app": "kube-dns"}, "kube-system", "10.4.0.53")


def read(*files: str) -> list[dict[str, Any]]:
    addresses = {"CONTROL_PLANE": "10.0.0.2/32", "LOAD_BALANCER": "203.0.113.7/32"}
    texts = [Template((CLUSTER / file).read_text()).safe_substitute(addresses) for file in files]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text)]


def of_proxy(*files: str) -> list[dict[str, Any]]:
    """What kustomize puts into the proxy's namespace."""
    manifests = read(*(f"proxy/base/{file}" for file in files))
    return [{**each, "metadata": {**each["metadata"], "namespace": "kupyterhub-proxy"}} for each in manifests]


def pod(template: dict[str, Any], address: str, namespace: str = "kupyterhub") -> Pod:
    return Pod(template["metadata"]["labels"], namespace, address)


def _world() -> World:
    profiles = {
        "default": IN_BUCKET.profiles["default"],
        "disk": Profile(),
        "closed": Profile.model_validate({"egress": "none"}),
        "closed-gcs": Profile.model_validate({"egress": "none", "storage": {"kind": "gcs"}}),
        "own": Profile.model_validate({"egress": "pypi"}),
    }
    world = World(settings=IN_BUCKET.model_copy(update={"profiles": profiles}))
    for profile in profiles:
        world.enrol(profile, f"{profile}@example.com", profile=profile)
    return world


WORLD = _world()


def _own() -> list[dict[str, Any]]:
    """What the controller made of them, in the namespace that its client names."""
    made = (WORLD.cluster.get("NetworkPolicy", name) for name in WORLD.cluster.names("NetworkPolicy"))
    return [{**each, "metadata": {**each["metadata"], "namespace": "kupyterhub"}} for each in made]


COMMON = [*read("network-policies.yaml"), *of_proxy("network-policies.yaml"), *_own()]
POLICIES = Policies(COMMON, NAMESPACES)
HOSTED = Policies([*COMMON, *read("gke/hosted-agents.yaml")], NAMESPACES)
SHARED = Policies([*COMMON, *read("gke/shared-agent.yaml")], NAMESPACES)
CLOUD_RUN = Policies([*COMMON, *read("gke/cloud-run-agents.yaml")], NAMESPACES)


def made(prefix: str, profile: str) -> Pod:
    """The pod of a Deployment that the controller made for the person with this profile."""
    deployment = WORLD.cluster.get("Deployment", f"{prefix}-{base_name(f'{profile}@example.com')}")
    return pod(deployment["spec"]["template"], f"10.4.1.{len(prefix) + len(profile)}")


NOTEBOOKS = {name: made("jupyterlab", name) for name in WORLD.settings.profiles}
AGENT, OTHERS_AGENT = made("agent", "disk"), made("agent", "own")
SHARED_AGENT = pod(
    shared_agent.deployment(Installation(IN_BUCKET, b"k" * 32, "projects/p/topics/agent-events"))["spec"]["template"],
    "10.4.2.2",
)
PROXY = pod(of_proxy("deployment.yaml")[0]["spec"]["template"], "10.4.3.3", "kupyterhub-proxy")
LOAD_BALANCER = [Host("35.191.12.34"), Host("130.211.3.255")]
STRANGER = Pod({"app": "intruder"}, address="10.4.4.4")
notebooks = pytest.mark.parametrize("notebook", NOTEBOOKS.values(), ids=NOTEBOOKS.keys())


@notebooks
def test_a_notebook_takes_traffic_from_its_agents_on_its_port_and_from_nobody_else(notebook: Pod) -> None:
    for agent, whose in (
        (AGENT, [NOTEBOOKS["disk"]]),
        (OTHERS_AGENT, [NOTEBOOKS["own"]]),
        (SHARED_AGENT, [notebook]),
    ):
        assert POLICIES.may(agent, notebook, 8888) == (notebook in whose)
        assert not POLICIES.may(agent, notebook, 22)
    others = [each for each in NOTEBOOKS.values() if each is not notebook]
    for sender in (*others, PROXY, STRANGER, SOMEBODY, DNS, INTERNET, *INSIDE.values(), METADATA[0][0]):
        assert not POLICIES.may(sender, notebook, 8888)


@notebooks
def test_a_notebook_reaches_nothing_inside(notebook: Pod) -> None:
    others = [each for each in NOTEBOOKS.values() if each is not notebook]
    for receiver in (*others, AGENT, OTHERS_AGENT, SHARED_AGENT, PROXY, STRANGER, SOMEBODY, CONTROL_PLANE):
        for port in (22, 80, 443, 8080, 8081, 8888, 10250, 10255):
            assert not POLICIES.may(notebook, receiver, port)
    for host in INSIDE.values():
        assert not POLICIES.may(notebook, host, 443)


@notebooks
def test_a_notebook_resolves_names(notebook: Pod) -> None:
    for server in (DNS, Host("169.254.20.10")):
        assert POLICIES.may(notebook, server, 53, "UDP")
        assert POLICIES.may(notebook, server, 53)
        assert not POLICIES.may(notebook, server, 443)


@pytest.mark.parametrize("profile", NOTEBOOKS)
def test_only_a_notebook_with_files_in_the_bucket_reaches_the_metadata_server(profile: str) -> None:
    in_bucket = profile in ("default", "closed-gcs")
    for policies in (POLICIES, HOSTED, SHARED):
        assert [policies.may(NOTEBOOKS[profile], host, port) for host, port in METADATA] == [in_bucket] * 2
        for host, port in ((METADATA[0][0], 443), (METADATA[1][0], 80), (METADATA[0][0], 8888)):
            assert not policies.may(NOTEBOOKS[profile], host, port)


def test_a_notebook_reaches_the_internet_unless_its_profile_says_otherwise() -> None:
    reaching = {name for name, notebook in NOTEBOOKS.items() if POLICIES.may(notebook, INTERNET, 443)}

    assert reaching == {"default", "disk"}
    assert POLICIES.may(NOTEBOOKS["closed-gcs"], GOOGLE_APIS, 443)
    assert not POLICIES.may(NOTEBOOKS["closed"], GOOGLE_APIS, 443)


def test_an_egress_of_ones_own_is_opened_by_a_policy_that_names_it() -> None:
    own = {
        "metadata": {"name": "pypi", "namespace": "kupyterhub"},
        "spec": {
            "podSelector": {"matchLabels": {"kupyterhub/egress": "pypi"}},
            "policyTypes": ["Egress"],
            "egress": [
                {"to": [{"ipBlock": {"cidr": "151.101.0.0/16"}}], "ports": [{"protocol": "TCP", "port": 443}]}
            ],
        },
    }
    policies = Policies([*POLICIES.policies, own], NAMESPACES)

    assert policies.may(NOTEBOOKS["own"], INTERNET, 443)
    assert not policies.may(NOTEBOOKS["own"], Host("8.8.8.8"), 443)
    assert not policies.may(NOTEBOOKS["closed"], INTERNET, 443)


def test_an_agent_of_before_there_were_policies_of_each_goes_on() -> None:
    former = Pod({key: value for key, value in AGENT.labels.items() if key != "kupyterhub/reaches"}, AGENT.namespace)

    assert POLICIES.may(former, NOTEBOOKS["disk"], 8888)


@pytest.mark.parametrize(
    ("agent", "notebooks"),
    [(AGENT, [NOTEBOOKS["disk"]]), (SHARED_AGENT, NOTEBOOKS.values())],
    ids=["per-user", "shared"],
)
def test_an_agent_reaches_proxy_googles_apis_and_its_notebooks_and_nothing_else(
    agent: Pod, notebooks: Iterable[Pod]
) -> None:
    allowed = [(PROXY, 8080), (GOOGLE_APIS, 443), *((each, 8888) for each in notebooks)]
    for receiver, port in allowed:
        assert POLICIES.may(agent, receiver, port)
        assert not POLICIES.may(agent, receiver, 22)
    for receiver in (OTHERS_AGENT, STRANGER, SOMEBODY, INTERNET, CONTROL_PLANE, *INSIDE.values()):
        assert not any(POLICIES.may(agent, receiver, port) for port in (80, 443, 8080, 8081, 8888))
    assert not any(POLICIES.may(agent, host, port) for host, port in METADATA)


@pytest.mark.parametrize("agent", [AGENT, SHARED_AGENT], ids=["per-user", "shared"])
def test_an_agent_is_reached_by_nobody(agent: Pod) -> None:
    for sender in (*NOTEBOOKS.values(), OTHERS_AGENT, PROXY, STRANGER, SOMEBODY, INTERNET):
        assert not any(POLICIES.may(sender, agent, port) for port in (8081, 8888, 443))


def test_what_only_some_installations_need_opens_that_for_agents_alone() -> None:
    assert all(HOSTED.may(AGENT, host, port) for host, port in METADATA)
    assert SHARED.may(SHARED_AGENT, CONTROL_PLANE, 443)
    assert not SHARED.may(AGENT, CONTROL_PLANE, 443)
    load_balancer = Host("203.0.113.7")
    for agent in (AGENT, SHARED_AGENT):
        assert CLOUD_RUN.may(agent, load_balancer, 443)
        assert not CLOUD_RUN.may(agent, INTERNET, 443)
        assert not POLICIES.may(agent, load_balancer, 443)
    for notebook in NOTEBOOKS.values():
        assert not SHARED.may(notebook, CONTROL_PLANE, 443)


def test_the_proxy_is_reached_by_agents_and_googles_load_balancer_and_by_nobody_else() -> None:
    for agent in (AGENT, OTHERS_AGENT, SHARED_AGENT):
        assert POLICIES.may(agent, PROXY, 8080)
        assert not any(POLICIES.may(agent, PROXY, port) for port in (22, 443, 8081))
    for sender in LOAD_BALANCER:
        assert POLICIES.may(sender, PROXY, 8080)
        assert POLICIES.may(sender, PROXY, 8081)
        assert not any(POLICIES.may(sender, PROXY, port) for port in (22, 443))
    neighbour = Pod(PROXY.labels, PROXY.namespace, "10.4.3.4")
    named_like_an_agent = Pod(AGENT.labels, "default", "10.4.0.98")
    outside = (INTERNET, GOOGLE_APIS, CONTROL_PLANE, *INSIDE.values(), Host("35.190.255.255"), Host("130.211.4.0"))
    for other in (*NOTEBOOKS.values(), STRANGER, SOMEBODY, DNS, neighbour, named_like_an_agent, *outside):
        assert not any(POLICIES.may(other, PROXY, port) for port in (443, 8080, 8081))


def test_the_proxy_reaches_pubsub_its_identity_and_the_keys_of_identities_and_nothing_inside() -> None:
    for host, port in ((GOOGLE_APIS, 443), (INTERNET, 443), *METADATA):
        assert POLICIES.may(PROXY, host, port)
        assert not POLICIES.may(PROXY, host, 22)
    assert POLICIES.may(PROXY, DNS, 53, "UDP")
    for receiver in (*NOTEBOOKS.values(), AGENT, SHARED_AGENT, SOMEBODY, CONTROL_PLANE, *INSIDE.values()):
        assert not any(POLICIES.may(PROXY, receiver, port) for port in (80, 443, 8081, 8888, 988))


def test_a_pod_that_looks_like_the_proxy_beside_notebooks_is_no_proxy_to_agents() -> None:
    fake = Pod(PROXY.labels, "kupyterhub", "10.4.3.5")
    assert not any(POLICIES.may(agent, fake, 8080) for agent in (AGENT, SHARED_AGENT))


def test_a_pod_beside_the_proxy_that_nobody_named_does_nothing_but_resolve_names() -> None:
    stray = Pod({"app": "intruder"}, PROXY.namespace, "10.4.4.5")
    for other in (PROXY, AGENT, INTERNET, GOOGLE_APIS, CONTROL_PLANE, *LOAD_BALANCER):
        assert not any(POLICIES.may(stray, other, port) for port in (443, 8080, 8888))
        assert not any(POLICIES.may(other, stray, port) for port in (443, 8080, 8081))
    assert POLICIES.may(stray, DNS, 53, "UDP")


def test_a_pod_that_nobody_named_does_nothing_but_resolve_names() -> None:
    for receiver in (*NOTEBOOKS.values(), AGENT, PROXY, INTERNET, GOOGLE_APIS, CONTROL_PLANE):
        assert not any(POLICIES.may(STRANGER, receiver, port) for port in (443, 8080, 8888))
    assert POLICIES.may(STRANGER, DNS, 53, "UDP")


def test_a_pod_of_another_namespace_is_no_dns_server() -> None:
    fake = Pod({"k8s-app": "kube-dns"}, "kupyterhub", "10.4.5.5")

    assert not POLICIES.may(NOTEBOOKS["disk"], fake, 53, "UDP")


def test_the_evaluator_knows_what_is_open_and_what_a_selector_means() -> None:
    assert Policies([]).may(STRANGER, SOMEBODY, 1)
    selector = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["intruder"]}]}
    policy = {"metadata": {"namespace": "kupyterhub"}, "spec": {"podSelector": selector, "egress": []}}
    assert not Policies([policy]).may(STRANGER, SOMEBODY, 1)
    assert not Policies([policy]).may(SOMEBODY, STRANGER, 1)
    assert Policies([policy]).may(PROXY, SOMEBODY, 1)
