"""Whatever is deleted in the middle of a look, at any of its requests: nothing is left running."""

from collections.abc import Callable
from itertools import count

import pytest

from cluster.controller.alone import Alone
from cluster.controller.system import Person, somebody


def first_look(alone: Alone, person: Person) -> None:
    alone.set(person.user, email=person.email)


def repair(alone: Alone, person: Person) -> None:
    """The next look finds that an object is missing, and no status to write."""
    first_look(alone, person)
    alone.look(person.user, created=True)
    alone.kube.delete(f"api/v1/namespaces/{alone.namespace}/services/jupyterlab-{person.name}")


@pytest.mark.parametrize("before", [first_look, repair])
def test_a_document_that_is_deleted_in_the_middle_of_a_look_leaves_nothing_running(
    alone: Alone, before: Callable[[Alone, Person], None]
) -> None:
    def delete() -> None:
        alone.remove(person.user)
        alone.look(person.user, list_objects=True, email=person.email)

    for number in count():
        person = somebody()
        before(alone, person)
        alone.before_call(number, delete)
        alone.look(person.user, created=before is first_look)
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
        alone.look(person.user, created=True)
        if not alone.interrupted:
            break
        assert alone.running(person) == frozenset(), f"after {alone.calls[: number + 1]}"
        assert alone.document(person.user).status.phase == "Stopped"
    assert number >= 9
