"""What a look costs: requests to the API server and to Firestore, and what it moves."""

from cluster.controller.alone import Alone
from cluster.controller.kube import versions
from cluster.controller.system import somebody


def test_a_first_look_is_one_request_for_each_object_and_one_read_of_the_deployment(alone: Alone) -> None:
    ada = somebody()
    alone.set(ada.user, email=ada.email)

    alone.look(ada.user, created=True)

    assert sorted(alone.api.requests) == sorted(
        f"{request}{ada.name}" if request.endswith("-") else request
        for request in (
            f"GET {alone.namespace}/deployments/jupyterlab-",
            f"POST {alone.namespace}/persistentvolumeclaims",
            f"PATCH {alone.namespace}/serviceaccounts/notebook-",
            f"PATCH {alone.namespace}/serviceaccounts/agent-",
            f"PATCH {alone.namespace}/secrets/jupyterlab-",
            f"PATCH {alone.namespace}/services/jupyterlab-",
            f"PATCH {alone.namespace}/deployments/jupyterlab-",
            f"PATCH {alone.namespace}/deployments/agent-",
        )
    )
    assert [call for call in alone.calls if call in ("get", "write", "with_status_email")] == [
        "get",
        "write",
        "with_status_email",
        "write",
    ]


def test_a_look_at_an_unchanged_user_moves_nothing(alone: Alone) -> None:
    ada = somebody()
    alone.ready(ada)
    before, document = alone.still(ada), alone.document(ada.user)
    alone.api.requests.clear()
    alone.calls.clear()

    outcome = alone.look(ada.user)

    assert outcome.note == "unchanged"
    assert len(alone.api.requests) <= 8
    assert alone.calls.count("get") == 1
    assert {"write", "with_status_email", "with_email", "forget_observed"}.isdisjoint(alone.calls)
    assert versions(alone.objects(ada)) == before
    assert alone.document(ada.user).update_time == document.update_time


def test_an_announcement_that_is_known_is_one_read(alone: Alone) -> None:
    ada = somebody()
    alone.ready(ada)
    agent = alone.document(ada.user).status.agent
    assert agent is not None
    announcement = alone.announcement(ada, registered_at=agent.registeredAt)
    alone.api.requests.clear()
    alone.calls.clear()

    assert alone.look(ada.user, announcement=announcement).note == "announcement already known"

    assert alone.api.requests == []
    assert alone.calls == ["get"]
