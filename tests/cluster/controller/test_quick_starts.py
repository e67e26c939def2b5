"""Who starts again while the former server still ends waits for that: two would write to one disk."""

import pytest

from cluster.controller.alone import Alone
from cluster.controller.kube import Object
from cluster.controller.system import Person, somebody, until


def notebook_pods(alone: Alone, person: Person) -> list[Object]:
    return [
        pod
        for pod in alone.kube.pods(person.name, alone.namespace)
        if pod["metadata"]["labels"]["app.kubernetes.io/component"] == "jupyterlab"
    ]


def hold(alone: Alone, person: Person, *, held: bool) -> str:
    """Keep the notebook's pod from going when it is deleted, as a kubelet does while a process ends, or let it go."""
    (pod,) = notebook_pods(alone, person)
    path = f"api/v1/namespaces/{alone.namespace}/pods/{pod['metadata']['name']}"
    alone.kube.patch(path, {"metadata": {"finalizers": ["tests/held"] if held else None}})
    return str(pod["metadata"]["uid"])


@pytest.fixture
def ada(alone: Alone) -> Person:
    """Somebody who is ready, and whose pod takes its time to end."""
    ada = somebody()
    alone.ready(ada)
    hold(alone, ada, held=True)
    return ada


@pytest.mark.parametrize("stop", ["stopped", "deleted", "gone"])
def test_a_start_waits_until_the_former_pod_is_gone(alone: Alone, ada: Person, stop: str) -> None:
    (before,) = (pod["metadata"]["uid"] for pod in notebook_pods(alone, ada))
    if stop == "gone":
        alone.remove(ada.user)
        alone.look(ada.user, email=ada.email)
    else:
        alone.set(ada.user, state=stop)
        alone.look(ada.user)
    until(lambda: "deletionTimestamp" in notebook_pods(alone, ada)[0]["metadata"], "the pod is ending")

    alone.set(ada.user, email=ada.email, state="running")
    for thoroughly in (False, True, False):
        alone.look(ada.user, thoroughly=thoroughly)

        status = alone.document(ada.user).status
        assert (status.phase, status.reason) == ("Provisioning", "Ending")
        assert status.nextLookAt is not None
        assert [pod["metadata"]["uid"] for pod in notebook_pods(alone, ada)] == [before]

    hold(alone, ada, held=False)
    until(lambda: alone.kube.deployment(ada.name, alone.namespace) is None, "the former Deployment is gone")
    assert ada.user in alone.users.due(status.nextLookAt)
    alone.look(ada.user)
    until(lambda: alone.kube.run_pods(ada.name, alone.namespace), "its pods run")
    assert before not in {pod["metadata"]["uid"] for pod in notebook_pods(alone, ada)}
    alone.look(ada.user, announcement=alone.announcement(ada))
    assert alone.document(ada.user).status.phase == "Ready"


def test_a_purge_waits_until_the_former_pod_is_gone(alone: Alone, ada: Person) -> None:
    alone.set(ada.user, state="deleted", purge=True)
    for _ in range(2):
        alone.look(ada.user)
        assert alone.document(ada.user).fields["purge"] is True
        assert f"PersistentVolumeClaim home-{ada.name}" in alone.objects(ada)

    hold(alone, ada, held=False)
    until(lambda: not alone.kube.pods(ada.name, alone.namespace), "the pod is gone")
    alone.look(ada.user)
    until(lambda: alone.objects(ada) == {}, "the storage is gone")
    alone.look(ada.user)
    assert "purge" not in alone.document(ada.user).fields
    assert alone.claimed(ada) is None
