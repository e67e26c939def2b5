"""From people's own agents to the shared one and back, on a real API server, while a notebook runs."""

import pytest

from cluster.controller.alone import Alone
from cluster.controller.system import Person, somebody, until

SHARED = {"Deployment agent", "ServiceAccount agent"}


@pytest.fixture
def ada(alone: Alone) -> Person:
    """Somebody whose notebook runs, with an agent of its own."""
    ada = somebody()
    alone.ready(ada)
    return ada


def own_agent(person: Person) -> set[str]:
    return {f"{kind} agent-{person.name}" for kind in ("Deployment", "ServiceAccount", "NetworkPolicy")}


def switch(alone: Alone, agent: str) -> str:
    """Deploy with other settings; what `resync all` says."""
    alone.settings = alone.settings.model_copy(update={"agent": agent})
    return alone.resync.run("all")[0].note


def notebook_pods(alone: Alone, person: Person) -> set[str]:
    pods = alone.kube.pods(person.name, alone.namespace)
    return {
        p["metadata"]["uid"] for p in pods if p["metadata"]["labels"]["app.kubernetes.io/component"] == "jupyterlab"
    }


def run_shared_pods(alone: Alone) -> None:
    until(lambda: alone.kube.run_pods("shared", alone.namespace, 1), "the shared agent is available")


def test_there_and_back_no_notebook_is_without_an_agent_or_restarted(alone: Alone, ada: Person) -> None:
    pods = notebook_pods(alone, ada)

    switch(alone, "shared")
    alone.look(ada.user)
    assert own_agent(ada) <= alone.running(ada)
    assert alone.document(ada.user).status.phase == "Ready"

    run_shared_pods(alone)
    alone.look(ada.user)
    assert own_agent(ada).isdisjoint(alone.running(ada))
    assert alone.document(ada.user).status.phase == "Ready"
    assert notebook_pods(alone, ada) == pods

    assert "stays for 1 users" in switch(alone, "per-user")
    alone.look(ada.user)
    assert own_agent(ada) <= alone.running(ada)
    assert alone.kube.all_objects(alone.namespace).keys() >= SHARED

    until(lambda: alone.kube.run_pods(ada.name, alone.namespace), "the own agent is available")
    until(lambda: "was removed" in switch(alone, "per-user"), "the shared agent goes")
    assert SHARED.isdisjoint(alone.kube.all_objects(alone.namespace))
    assert alone.document(ada.user).status.phase == "Ready"
    assert notebook_pods(alone, ada) == pods


def test_a_resync_that_finds_the_shared_agent_as_it_should_be_changes_nothing(alone: Alone) -> None:
    switch(alone, "shared")
    run_shared_pods(alone)
    before = alone.kube.objects("shared", alone.namespace)["Deployment agent"]["metadata"]["generation"]

    switch(alone, "shared")

    after = alone.kube.objects("shared", alone.namespace)["Deployment agent"]
    assert after["metadata"]["generation"] == before
    pods = alone.kube.pods("shared", alone.namespace)
    assert len(pods) == after["spec"]["replicas"] == 2
