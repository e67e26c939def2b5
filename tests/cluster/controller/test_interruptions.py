"""Whatever happens in the middle of a look, at any of its requests: the newest wish is what comes of it."""

from collections.abc import Callable
from itertools import count

import pytest

from cluster.controller.alone import Alone
from cluster.controller.system import Person, somebody
from kupyterhub_rules.stored import rfc3339


def first_look(alone: Alone, person: Person) -> None:
    alone.set(person.user, email=person.email)


def repair(alone: Alone, person: Person) -> None:
    """A thorough look finds that an object is missing, which changes nothing of the status."""
    first_look(alone, person)
    alone.look(person.user)
    alone.kube.delete(f"api/v1/namespaces/{alone.namespace}/services/jupyterlab-{person.name}")


@pytest.mark.parametrize("before", [first_look, repair])
def test_a_document_that_is_deleted_in_the_middle_of_a_look_leaves_nothing_running(
    alone: Alone, before: Callable[[Alone, Person], None]
) -> None:
    def delete() -> None:
        alone.remove(person.user)
        alone.look(person.user, email=person.email)

    for number in count():
        person = somebody()
        before(alone, person)
        alone.before_call(number, delete)
        alone.look(person.user, thoroughly=before is repair)
        if not alone.interrupted:
            break
        assert alone.running(person) == frozenset(), f"after {alone.calls[: number + 1]}"
    assert number >= 9


def test_a_stop_in_the_middle_of_a_look_leaves_nothing_running(alone: Alone) -> None:
    def stop() -> None:
        alone.set(person.user, state="stopped")
        alone.look(person.user)

    for number in count():
        person = somebody()
        first_look(alone, person)
        alone.before_call(number, stop)
        alone.look(person.user)
        if not alone.interrupted:
            break
        assert alone.running(person) == frozenset(), f"after {alone.calls[: number + 1]}"
        assert alone.document(person.user).status.phase == "Stopped"
    assert number >= 9


def test_a_look_that_paused_never_puts_old_over_new(alone: Alone) -> None:
    """Between any two requests another look applies a newer profile, and a newer restart."""

    def change() -> None:
        alone.set(person.user, profile="default", restart=True)
        alone.look(person.user)

    for number in count():
        person = somebody()
        alone.set(person.user, email=person.email)
        alone.look(person.user)
        alone.set(person.user, profile="big", restart=True)
        alone.before_call(number, change)
        alone.look(person.user)
        if not alone.interrupted:
            break

        said = f"after {alone.calls[: number + 1]}"
        deployment, service = (f"{kind} jupyterlab-{person.name}" for kind in ("Deployment", "Service"))
        after, status = alone.objects(person), alone.document(person.user).status
        (container,) = after[deployment]["spec"]["template"]["spec"]["containers"]
        assert container["image"] == "registry.example/jupyterlab:1", said
        assert container["resources"]["requests"]["cpu"] == "100m", said
        # The other profile has no idleTimeout.
        assert after[service]["metadata"]["annotations"]["kupyterhub/idle-timeout"] == "3600", said
        marks = after[deployment]["spec"]["template"]["metadata"]["annotations"]
        assert status.restartedAt is not None, said
        assert marks["kupyterhub/restarted-at"] == rfc3339(status.restartedAt), said
        assert status.observed == alone.document(person.user).observed, said
        alone.look_once_old_pods_are_gone(person.user)
        alone.resync.run("all")
        assert alone.bus.asked == [], said
    assert number >= 9
