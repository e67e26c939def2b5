"""What a look costs: requests to the API server and to Firestore, and what it moves."""

import pytest

from cluster.controller.alone import Alone
from cluster.controller.kube import versions
from cluster.controller.system import Person, somebody, until

OWN_AGENT = ("serviceaccounts", "networkpolicies", "deployments")


@pytest.fixture
def ada(alone: Alone) -> Person:
    """Somebody who is ready; nothing was asked of anybody since."""
    ada = somebody()
    alone.ready(ada)
    alone.still(ada)
    alone.api.requests.clear()
    alone.calls.clear()
    return ada


def asked_of_firestore(alone: Alone) -> list[str]:
    return [call for call in alone.calls if call in dir(alone.users)]


@pytest.mark.parametrize(("agent", "of_agent"), [("per-user", OWN_AGENT), ("shared", ())])
def test_a_first_look_is_one_create_for_each_object_and_one_event(
    alone: Alone, agent: str, of_agent: tuple[str, ...]
) -> None:
    alone.settings = alone.settings.model_copy(update={"agent": agent})
    ada = somebody()
    alone.set(ada.user, email=ada.email)

    alone.look(ada.user)

    # The notebook's Deployment says what was made before it.
    kinds = ("persistentvolumeclaims", "secrets", "services", *of_agent, "deployments", "events")
    assert alone.api.requests == [f"POST {alone.namespace}/{kind}" for kind in kinds]
    # Nothing was known of what would become of it, so it is read once more before the look ends.
    assert asked_of_firestore(alone) == ["get", "claim", "with_status_email", "take", "get"]


def test_a_look_at_an_unchanged_user_is_three_reads_and_moves_nothing(alone: Alone, ada: Person) -> None:
    before, document = versions(alone.objects(ada)), alone.document(ada.user)

    outcome = alone.look(ada.user)

    assert outcome.note == "unchanged"
    assert alone.api.requests == [f"GET {alone.namespace}/deployments/jupyterlab-{ada.name}"]
    assert asked_of_firestore(alone) == ["get", "claim"]
    assert versions(alone.objects(ada)) == before
    assert alone.document(ada.user).update_time == document.update_time


def test_an_announcement_of_a_start_is_one_read_and_one_event(alone: Alone) -> None:
    ada = somebody()
    alone.set(ada.user, email=ada.email)
    alone.look(ada.user)
    until(lambda: alone.kube.run_pods(ada.name, alone.namespace), "its pods run")
    alone.api.requests.clear()
    alone.calls.clear()

    assert alone.look(ada.user, announcement=alone.announcement(ada)).phase == "Ready"

    expected = [f"GET {alone.namespace}/deployments/jupyterlab-{ada.name}", f"POST {alone.namespace}/events"]
    assert alone.api.requests == expected
    assert asked_of_firestore(alone) == ["get", "claim", "write"]


def test_an_announcement_that_is_known_is_one_read(alone: Alone, ada: Person) -> None:
    agent = alone.document(ada.user).status.agent
    assert agent is not None
    announcement = alone.announcement(ada, registered_at=agent.registeredAt)
    alone.calls.clear()

    assert alone.look(ada.user, announcement=announcement).note == "announcement already known"

    assert alone.api.requests == []
    assert alone.calls == ["get"]


def test_an_unchanged_user_who_is_stopped_costs_one_read_of_the_cluster(alone: Alone, ada: Person) -> None:
    alone.set(ada.user, state="stopped")
    alone.look(ada.user)
    alone.api.requests.clear()
    alone.calls.clear()

    assert alone.look(ada.user).note == "unchanged"

    assert alone.api.requests == [f"GET {alone.namespace}/deployments/jupyterlab-{ada.name}"]
    assert asked_of_firestore(alone) == ["get", "claim"]
