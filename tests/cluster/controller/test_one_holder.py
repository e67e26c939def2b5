"""However documents, claims and looks are mixed up, one document acts for an e-mail, and nobody is restarted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from cluster.controller.alone import Alone
from cluster.controller.kube import uids
from cluster.controller.system import Person, somebody


def notebook(alone: Alone, person: Person) -> tuple[str, int]:
    """The Deployment of a notebook, and how often its `spec` changed."""
    meta = alone.objects(person)[f"Deployment jupyterlab-{person.name}"]["metadata"]
    return meta["uid"], meta["generation"]


def owners(alone: Alone, person: Person) -> set[str]:
    """Documents that a person's objects say they belong to."""
    objects, running = alone.objects(person), alone.running(person)
    return {objects[key]["metadata"]["annotations"]["kupyterhub/user"] for key in running}


def states(alone: Alone, *people: Person) -> list[tuple[str | None, str | None]]:
    statuses = [alone.document(each.user).status for each in people]
    return [(status.phase, status.reason) for status in statuses]


def test_of_two_who_swap_emails_and_swap_back_one_is_ready(alone: Alone) -> None:
    a, b, c = (somebody(word) for word in "abc")
    for person in (a, b, c):
        alone.ready(person)

    alone.set(b.user, email=a.email)
    alone.set(c.user, email=b.email)
    alone.look(c.user)
    alone.set(b.user, email=b.email)
    alone.look(b.user)
    alone.answer()
    for person in (a, b, c):
        alone.look(person.user)
        # Whoever has the notebook of b by now is announced.
        alone.look(person.user, announcement=alone.announcement(replace(b, user=person.user)))

    assert states(alone, a, b, c) == [("Ready", None), ("Rejected", "DuplicateEmail"), ("Ready", None)]
    assert alone.claimed(b) == c.user
    assert [owners(alone, each) for each in (a, b, c)] == [{a.user}, {c.user}, set()]
    assert [alone.document(each.user).status.proxyUrl for each in (b, c)] == [
        None,
        alone.announcement(b).proxy_url,
    ]


def test_a_document_that_is_overwritten_whole_goes_on_as_it_was(alone: Alone) -> None:
    ada = somebody()
    alone.ready(ada)
    before = uids(alone.objects(ada)), notebook(alone, ada)

    alone.overwrite(ada.user, email=ada.email)
    alone.look(ada.user)

    assert states(alone, ada) == [("Ready", None)]
    assert (uids(alone.objects(ada)), notebook(alone, ada)) == before


def lost(alone: Alone, ada: Person) -> None:
    alone.put_claim(ada, None)


def of_one_who_is_gone(alone: Alone, ada: Person) -> None:
    alone.put_claim(ada, "gone")


def of_one_who_has_another_email(alone: Alone, ada: Person) -> None:
    bob = somebody("bob")
    alone.ready(bob)
    alone.put_claim(ada, bob.user)


@pytest.mark.parametrize("restored", [lost, of_one_who_is_gone, of_one_who_has_another_email])
def test_names_that_are_restored_from_before_are_put_right(
    alone: Alone, restored: Callable[[Alone, Person], None]
) -> None:
    ada, second = somebody(), somebody("second")
    alone.ready(ada)
    second = replace(second, email=ada.email)
    alone.set(second.user, email=second.email)
    alone.look(second.user)
    before = notebook(alone, ada)
    restored(alone, ada)

    alone.resync.run("all")
    alone.answer()

    assert states(alone, ada, second) == [("Ready", None), ("Rejected", "DuplicateEmail")]
    assert alone.claimed(ada) == ada.user
    assert (owners(alone, ada), notebook(alone, ada)) == ({ada.user}, before)
    alone.resync.run("all")
    assert alone.bus.asked == []


def test_names_that_say_that_who_waits_holds_end_with_one(alone: Alone) -> None:
    ada, second = somebody(), somebody("second")
    alone.ready(ada)
    second = replace(second, email=ada.email)
    alone.set(second.user, email=second.email)
    alone.look(second.user)
    alone.put_claim(ada, second.user)

    for _ in range(3):
        alone.resync.run("all")
        alone.answer()

    holder = alone.claimed(ada)
    assert holder in (ada.user, second.user)
    other = ({ada.user, second.user} - {holder}).pop()
    assert owners(alone, ada) == {holder}
    assert alone.document(other).status.reason == "DuplicateEmail"
    assert alone.document(holder).status.phase in ("Ready", "Provisioning")


def test_of_looks_at_once_at_documents_of_one_email_one_takes_it(alone: Alone) -> None:
    for _ in range(4):
        ada = somebody()
        people = [replace(ada, user=f"{ada.user}-{number}") for number in range(4)]
        for person in people:
            alone.set(person.user, email=ada.email)

        with ThreadPoolExecutor(len(people)) as pool:
            list(pool.map(alone.look, [person.user for person in people]))
        alone.answer()

        holder = alone.claimed(ada)
        phases = {person.user: alone.document(person.user).status.phase for person in people}
        assert phases == {**dict.fromkeys(phases, "Rejected"), holder: "Provisioning"}
        assert owners(alone, ada) == {holder}
        assert len(alone.running(ada)) == 6


def test_looks_at_once_at_different_people_hinder_none_of_them(alone: Alone) -> None:
    people = [somebody(f"p{number}") for number in range(24)]
    for person in people:
        alone.set(person.user, email=person.email)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(alone.look, [person.user for person in people]))

    assert {outcome.phase for outcome in outcomes} == {"Provisioning"}
    assert alone.calls.count("take") == len(people)


@pytest.mark.parametrize("anew", ["by the same e-mail", "by another e-mail"])
@pytest.mark.parametrize("order", ["delete first", "create first"])
def test_a_document_that_is_deleted_and_made_anew_at_once_has_its_own_objects_alone(
    alone: Alone, anew: str, order: str
) -> None:
    ada = somebody()
    alone.ready(ada)
    other = ada if anew == "by the same e-mail" else replace(somebody("other"), user=ada.user)
    alone.remove(ada.user)
    alone.set(ada.user, email=other.email)

    # The events of both come after both.
    emails = [ada.email, None] if order == "delete first" else [None, ada.email]
    for email in emails:
        alone.look(ada.user, email=email)

    assert owners(alone, other) == {ada.user}
    assert len(alone.running(other)) == 6
    if other is not ada:
        assert alone.running(ada) == frozenset()
        assert alone.claimed(ada) is None
    assert alone.claimed(other) == ada.user
