"""What others change or delete in the cluster is found by the hourly comparison, and put back."""

from typing import Any

import pytest

from cluster.controller.alone import Alone
from cluster.controller.kube import KINDS, Object, plural
from cluster.controller.system import Person, somebody, until
from kupyterhub.events import Look

EDITS: dict[str, tuple[str, Object]] = {
    "the selector of a Service": ("Service jupyterlab", {"spec": {"selector": {"theirs": "yes"}}}),
    "the type of a Service": ("Service jupyterlab", {"spec": {"type": "NodePort"}}),
    "a label that it is listed by": (
        "Secret jupyterlab",
        {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}},
    ),
    "a label of the document": ("Service jupyterlab", {"metadata": {"labels": {"kupyterhub/user-hash": None}}}),
    "an annotation of the document": ("Secret jupyterlab", {"metadata": {"annotations": {"kupyterhub/user": None}}}),
    "a token": ("Secret jupyterlab", {"data": {"token": "YQ=="}}),
    "an account": ("ServiceAccount agent", {"automountServiceAccountToken": True}),
    "what an agent reaches": ("NetworkPolicy agent", {"spec": {"egress": [{}]}}),
    "replicas of an agent": ("Deployment agent", {"spec": {"replicas": 0}}),
    "replicas of a notebook": ("Deployment jupyterlab", {"spec": {"replicas": 0}}),
    "what was applied": ("Deployment jupyterlab", {"metadata": {"annotations": {"kupyterhub/applied": None}}}),
}


@pytest.fixture
def ada(alone: Alone) -> Person:
    """One of two who are ready."""
    ada, bob = somebody("ada"), somebody("bob")
    for person in (ada, bob):
        alone.ready(person)
    return ada


def path(alone: Alone, person: Person, key: str) -> str:
    kind, prefix = key.split()
    return f"{KINDS[kind]}/namespaces/{alone.namespace}/{plural(kind)}/{prefix}-{person.name}"


def compared(alone: Alone) -> list[Look]:
    """Whom the hourly comparison asks for."""
    alone.resync.run("all")
    return list(alone.bus.asked)


def stated(obj: Object | None) -> dict[str, Any]:
    """What somebody may have said of an object; the rest is Kubernetes'."""
    assert obj is not None
    meta = {key: obj["metadata"][key] for key in ("labels", "annotations")}
    meta["annotations"].pop("deployment.kubernetes.io/revision", None)
    rest = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": meta}


@pytest.mark.parametrize("edit", EDITS)
def test_what_somebody_edits_is_found_and_put_back(alone: Alone, ada: Person, edit: str) -> None:
    key, body = EDITS[edit]
    before = stated(alone.kube.get(path(alone, ada, key)))
    alone.kube.patch(path(alone, ada, key), body)
    assert stated(alone.kube.get(path(alone, ada, key))) != before

    assert compared(alone) == [Look(ada.user, thoroughly=True)]

    alone.answer()
    assert stated(alone.kube.get(path(alone, ada, key))) == before
    until(lambda: alone.kube.run_pods(ada.name, alone.namespace), "its pods run")
    alone.look(ada.user, announcement=alone.announcement(ada))
    assert compared(alone) == []


@pytest.mark.parametrize(
    "key",
    ["Service jupyterlab", "Secret jupyterlab", "ServiceAccount agent", "NetworkPolicy agent", "Deployment agent"],
)
def test_what_somebody_deletes_is_found_and_made_again(alone: Alone, ada: Person, key: str) -> None:
    alone.kube.delete(path(alone, ada, key))

    assert compared(alone) == [Look(ada.user, thoroughly=True)]

    alone.answer()
    assert alone.kube.get(path(alone, ada, key)) is not None
    until(lambda: alone.kube.run_pods(ada.name, alone.namespace), "its pods run")
    assert compared(alone) == []


def test_an_agent_of_another_image_gets_its_own_back(alone: Alone, ada: Person) -> None:
    agent = path(alone, ada, "Deployment agent")
    before = alone.kube.get(agent)
    assert before is not None
    container = {**before["spec"]["template"]["spec"]["containers"][0], "image": "evil.example/agent:1"}
    alone.kube.patch(agent, {"spec": {"template": {"spec": {"containers": [container]}}}})

    assert compared(alone) == [Look(ada.user, thoroughly=True)]

    alone.answer()
    assert stated(alone.kube.get(agent)) == stated(before)


def test_a_strategy_that_no_apply_can_take_back_is_told(alone: Alone, ada: Person) -> None:
    deployment = path(alone, ada, "Deployment jupyterlab")
    # Its `rollingUpdate` is then somebody else's, and may not be there beside Recreate.
    alone.kube.patch(deployment, {"spec": {"strategy": {"type": "RollingUpdate"}}})

    assert compared(alone) == [Look(ada.user, thoroughly=True)]

    alone.answer()
    status = alone.document(ada.user).status
    assert status.phase == "Ready"
    assert "spec.strategy.rollingUpdate" in (status.message or "")


def test_of_a_crowd_that_nobody_changed_nobody_is_asked_for(alone: Alone) -> None:
    for number in range(12):
        person = somebody(f"p{number}")
        alone.set(person.user, email=person.email, profile="big" if number % 2 else "default")
        alone.look(person.user)
        if number % 3 == 0:
            alone.set(person.user, state="stopped")
            alone.look(person.user)
        elif number % 3 == 1:
            alone.set(person.user, restart=True)
            alone.look_once_old_pods_are_gone(person.user)

    alone.calls.clear()
    assert compared(alone) == []
    assert {"write", "take", "ask_to_reconcile", "apply", "create", "delete"}.isdisjoint(alone.calls)
