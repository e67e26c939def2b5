"""One agent for everybody: its objects, and the way to it and back with nobody left without an agent."""

from typing import Any

import pytest

from kupyterhub.domain.manifests import shared_agent
from kupyterhub.domain.settings import Settings
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, SETTINGS, objects_of

NAME = base_name(ADA)
SHARED_SETTINGS = SETTINGS.model_copy(update={"agent": "shared"})
SHARED_OBJECTS = {"Deployment agent", "ServiceAccount agent"}
OWN_AGENT = {f"{kind} agent-{NAME}" for kind in ("Deployment", "ServiceAccount", "NetworkPolicy")}
HOSTED = {"proxy": "hosted", "domain": None}


@pytest.fixture
def shared() -> World:
    """A world where the shared agent was chosen from the beginning."""
    world = World(SHARED_SETTINGS)
    world.resync.run("all")
    world.cluster.settle()
    return world


def switch(world: World, settings: Settings) -> str:
    """Deploy other settings, which ends by a `resync all`; what that says."""
    world.settings = settings
    return resync(world)


def resync(world: World) -> str:
    outcome, *_ = world.resync.run("all")
    world.deliver_bus()
    return outcome.note


def pod_of(world: World, deployment: str = "agent") -> dict[str, Any]:
    spec: dict[str, Any] = world.cluster.get("Deployment", deployment)["spec"]["template"]["spec"]
    return spec


def environment_of(pod: dict[str, Any]) -> dict[str, str]:
    (container,) = pod["containers"]
    return {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}


def test_a_user_costs_one_deployment_and_two_requests_less(shared: World) -> None:
    shared.cluster.requests.clear()
    shared.enrol()

    assert shared.cluster.requests == [
        f"create PersistentVolumeClaim home-{NAME}",
        f"create Secret jupyterlab-{NAME}",
        f"create Service jupyterlab-{NAME}",
        f"create Deployment jupyterlab-{NAME}",
    ]
    assert shared.objects() == objects_of(ADA) - OWN_AGENT


def test_a_second_look_changes_nothing(shared: World) -> None:
    shared.ready()
    before, versions = shared.users.peek("ada"), shared.cluster.versions()
    shared.cluster.requests.clear()

    assert shared.look().note == "unchanged"
    assert (shared.users.peek("ada"), shared.cluster.versions()) == (before, versions)
    assert shared.cluster.requests == [f"read Deployment jupyterlab-{NAME}"]


def test_a_second_resync_changes_nothing(shared: World) -> None:
    shared.ready()
    versions = shared.cluster.versions()

    assert resync(shared) == "resync all: 0 to look at, 0 to sweep"
    assert shared.cluster.versions() == versions


def test_its_pods_are_told_of_no_person_and_read_the_api(shared: World) -> None:
    pod = pod_of(shared)

    assert environment_of(pod) == {
        "KUPYTERHUB_PROXY": "local",
        "KUPYTERHUB_PROXY_URL": "http://agents.localhost:8000",
        "KUPYTERHUB_PROXY_TOKEN_FILE": "/var/run/kupyterhub/proxy/token",
        "KUPYTERHUB_AGENT": "shared",
        "KUPYTERHUB_NAMESPACE": "kupyterhub",
    }
    assert pod["serviceAccountName"] == "agent"
    # It asks for the token of its account itself; nothing is mounted that is not written here.
    assert pod["automountServiceAccountToken"] is False
    (mount,) = [each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "api-access"]
    assert mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"
    (volume,) = [each for each in pod["volumes"] if each["name"] == "api-access"]
    token, authority, namespace = volume["projected"]["sources"]
    assert token == {"serviceAccountToken": {"expirationSeconds": 3600, "path": "token"}}
    assert authority["configMap"]["name"] == "kube-root-ca.crt"
    assert namespace["downwardAPI"]["items"][0]["path"] == "namespace"


def test_its_pods_meet_the_restricted_standard_and_stay_apart(shared: World) -> None:
    pod = pod_of(shared)

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    (spread,) = pod["topologySpreadConstraints"]
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    spec = shared.cluster.get("Deployment", "agent")["spec"]
    assert spec["replicas"] == shared_agent.REPLICAS == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize("agent", ["per-user", "shared"])
def test_in_hosted_mode_agents_run_where_the_vms_identity_is_and_publish_themselves(agent: str) -> None:
    world = World(SETTINGS.model_copy(update={**HOSTED, "agent": agent}))
    world.resync.run("all")
    world.enrol()
    pod = pod_of(world, "agent" if agent == "shared" else f"agent-{NAME}")

    assert pod["nodeSelector"] == {"kupyterhub.dev/agents": "true"}
    assert pod["tolerations"] == [
        {"key": "kupyterhub.dev/agents", "operator": "Equal", "value": "true", "effect": "NoSchedule"}
    ]
    assert "hostNetwork" not in pod
    environment = environment_of(pod)
    assert environment["KUPYTERHUB_TOPIC"] == "projects/p/topics/agent-events"
    assert not {"KUPYTERHUB_PROXY_URL", "KUPYTERHUB_PROXY_TOKEN_FILE"} & environment.keys()
    assert "proxy-token" not in {volume["name"] for volume in pod["volumes"]}


def test_a_self_hosted_server_is_dialled_over_tls_and_in_its_cluster_by_each_address() -> None:
    service = "proxy-agents.kupyterhub.svc.cluster.local:8443"
    changed = {"proxy": "self-hosted", "domain": "notebooks.example.org", "proxy_service": service}
    world = World(SETTINGS.model_copy(update=changed))
    world.enrol()

    pod = pod_of(world, f"agent-{NAME}")
    environment = environment_of(pod)
    assert environment["KUPYTERHUB_PROXY_URL"] == "https://agents.notebooks.example.org"
    assert environment["KUPYTERHUB_PROXY_SERVICE"] == service
    (volume,) = [each for each in pod["volumes"] if each["name"] == "proxy-token"]
    (source,) = volume["projected"]["sources"]
    assert source["serviceAccountToken"]["audience"] == "https://agents.notebooks.example.org"


def test_notebooks_of_hosted_mode_run_where_they_always_do() -> None:
    world = World(SETTINGS.model_copy(update=HOSTED))
    world.enrol()

    assert not {"nodeSelector", "tolerations"} & pod_of(world, f"jupyterlab-{NAME}").keys()


def test_nobodys_own_agent_goes_before_the_shared_one_is_available(world: World) -> None:
    world.ready()
    before = world.status()

    switch(world, SHARED_SETTINGS)

    assert world.cluster.everything() >= SHARED_OBJECTS | OWN_AGENT
    status = world.status()
    assert (status.phase, status.proxyUrl, status.agent) == ("Ready", before.proxyUrl, before.agent)
    assert status.nextLookAt is not None
    assert status.settings == before.settings


def test_a_look_that_waits_for_the_shared_agent_is_repeated_and_writes_nothing_new(world: World) -> None:
    world.ready()
    switch(world, SHARED_SETTINGS)
    before = world.users.peek("ada")
    world.clock.move(minutes=2)

    world.resync.run("due")
    assert world.bus.messages == ["ada"]
    world.deliver_bus()

    assert world.users.peek("ada") == before


def test_once_it_is_available_the_own_agents_go_and_notebooks_run_on(world: World) -> None:
    world.ready()
    notebook = world.cluster.get("Deployment", f"jupyterlab-{NAME}")
    switch(world, SHARED_SETTINGS)
    world.cluster.settle()
    world.clock.move(minutes=1)

    world.resync.run("due")
    world.deliver_bus()

    assert not OWN_AGENT & world.cluster.everything()
    after = world.cluster.get("Deployment", f"jupyterlab-{NAME}")
    assert after["metadata"]["generation"] == notebook["metadata"]["generation"]
    status = world.status()
    assert (status.phase, status.nextLookAt, status.settings) == ("Ready", None, world.reconciler.installation.hash)


def test_a_notebook_of_a_document_with_an_error_is_handed_over_too(world: World) -> None:
    world.ready()
    world.users.set("ada", profile="huge")
    world.look()
    switch(world, SHARED_SETTINGS)
    world.cluster.settle()
    resync(world)

    assert world.status().phase == "Rejected"
    assert world.objects() == objects_of(ADA) - OWN_AGENT


def test_an_own_agent_that_came_back_is_swept(shared: World) -> None:
    shared.ready()
    other = World()
    other.ready()
    for key in OWN_AGENT:
        shared.cluster.create(other.cluster.get(*key.split()))

    resync(shared)

    assert shared.objects() == objects_of(ADA) - OWN_AGENT


def test_back_to_own_agents_the_shared_one_goes_last(shared: World) -> None:
    shared.ready()
    notebook = shared.cluster.get("Deployment", f"jupyterlab-{NAME}")

    assert "stays for 1 users" in switch(shared, SETTINGS)
    assert SHARED_OBJECTS | objects_of(ADA) <= shared.cluster.everything()
    assert "stays for 1 users" in resync(shared)

    shared.cluster.settle()
    assert "was removed" in resync(shared)
    assert not SHARED_OBJECTS & shared.cluster.everything()
    assert objects_of(ADA) <= shared.cluster.everything()
    assert shared.status().phase == "Ready"
    after = shared.cluster.get("Deployment", f"jupyterlab-{NAME}")
    assert after["metadata"]["generation"] == notebook["metadata"]["generation"]
    assert "shared agent" not in resync(shared)


def test_of_two_replicas_the_later_announcement_stays(shared: World) -> None:
    shared.enrol()
    first = shared.announcement(instance="pod-1", registered_at=shared.clock.move(seconds=3))
    second = shared.announcement(instance="pod-2", registered_at=shared.clock.move(seconds=1))
    shared.look(announcement=second)

    assert "newer" in shared.look(announcement=first).note
    agent = shared.status().agent
    assert agent is not None
    assert agent.instance == "pod-2"
    assert shared.look(announcement=second).note == "announcement already known"


def test_when_the_later_replica_is_lost_the_user_stays_ready(shared: World) -> None:
    shared.ready()

    shared.announce("lost")
    shared.clock.move(minutes=5)
    shared.announce(instance="pod-3")

    status = shared.status()
    assert status.phase == "Ready"
    assert status.agent is not None
    assert status.agent.instance == "pod-3"


def test_the_sweep_leaves_the_shared_agent_alone(shared: World) -> None:
    shared.ready()
    shared.ready("bob", "bob@example.com")
    shared.users.remove("bob")

    resync(shared)

    assert shared.cluster.everything() >= SHARED_OBJECTS
    assert shared.objects("bob") == set()
