"""The hourly comparison with everybody: it removes what belongs to nobody, and is shy about it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cluster.controller.alone import Alone
from cluster.controller.system import Person, somebody
from kupyterhub.domain.users import UserDocument
from kupyterhub.ports import Record
from kupyterhub.resync import Resync


class Forgetful:
    """Users whose listing ends after a few."""

    def __init__(self, users: Any, number: int) -> None:
        self._users = users
        self._number = number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._users, name)

    def every(self) -> Iterator[UserDocument]:
        yield from list(self._users.every())[: self._number]


def enrolled(alone: Alone, number: int) -> list[Person]:
    people = [somebody(f"p{index}") for index in range(number)]
    for person in people:
        alone.set(person.user, email=person.email)
        alone.look(person.user)
    return people


def test_an_empty_listing_removes_nothing(alone: Alone) -> None:
    people = enrolled(alone, 3)
    before = alone.kube.all_objects(alone.namespace)

    for number in (0, 1):
        reconciler = replace(alone.reconciler, users=Forgetful(alone.users, number))
        outcomes = Resync(reconciler).run("all")
        assert f"only {number} documents were listed for 3 users in the cluster" in outcomes[0].note

    assert alone.kube.all_objects(alone.namespace) == before
    assert len(before) == 7 * len(people)


def test_what_a_short_listing_leaves_out_is_read_by_itself_before_anything_goes(alone: Alone) -> None:
    enrolled(alone, 3)
    before = alone.kube.all_objects(alone.namespace)

    Resync(replace(alone.reconciler, users=Forgetful(alone.users, 2))).run("all")

    assert alone.kube.all_objects(alone.namespace) == before


def test_the_objects_of_documents_that_are_gone_are_swept(alone: Alone) -> None:
    ada, bob, eve = enrolled(alone, 3)
    alone.remove(eve.user)

    outcomes = alone.resync.run("all")

    assert outcomes[0].note == "resync all: 0 to look at, 1 to sweep"
    alone.answer()
    assert alone.running(eve) == frozenset()
    assert f"PersistentVolumeClaim home-{eve.name}" in alone.objects(eve)
    assert [len(alone.objects(each)) for each in (ada, bob)] == [7, 7]


def test_a_name_that_is_no_longer_the_documents_is_swept(alone: Alone) -> None:
    ada, bob = enrolled(alone, 2)
    # As if the look that moved Ada was killed before it removed what she had.
    status = alone.document(ada.user).status
    alone.set(ada.user, email=f"new.{ada.email}")
    alone.users.write(alone.document(ada.user), Record(replace(status, email=None, name=None, emailSince=None)))

    alone.resync.run("all")
    alone.answer()

    assert alone.running(ada) == frozenset()
    moved = replace(ada, email=f"new.{ada.email}")
    assert len(alone.running(moved)) == 6
    assert len(alone.running(bob)) == 6
