"""Events that come twice, late, in any order, and about two documents that want one e-mail."""

import json
from typing import Any

import pytest

from cluster.controller.alone import Alone
from cluster.controller.kube import uids
from cluster.controller.system import Event, Person, System, somebody, until
from cluster.controller.test_bad_documents import owners
from kupyterhub import events
from kupyterhub.adapters.bus import decode_message
from kupyterhub.adapters.user_store import decode_write
from kupyterhub.removal import Removal


def test_events_that_come_again_three_times_and_in_reverse_order_change_nothing(system: System) -> None:
    ada, bob, eve = (somebody(word) for word in ("ada", "bob", "eve"))
    delivered = recorded(system, ada, bob, eve)
    system.quiet()
    for person, phase in ((ada, "Provisioning"), (bob, "Deleted")):
        system.until_phase(person.user, phase)
    before = facts(system, ada, bob, eve)
    # Bob has notebooks if he was looked at before he was deleted; two looks at once decide that.
    assert set(before[1][0]) <= {f"PersistentVolumeClaim home-{bob.name}"}
    assert (len(before[0][0]), len(before[2][0])) == (7, 0)

    for event in [each for each in reversed(delivered) for _ in range(3)]:
        assert system.deliver(event) // 100 == 2
    system.quiet()

    assert facts(system, ada, bob, eve) == before


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "in reverse order"])
def test_events_that_come_three_times_each_end_the_same_in_any_order(
    system: System, alone: Alone, order: int
) -> None:
    ada, bob, eve = (somebody(word) for word in ("ada", "bob", "eve"))
    enrol_and_change(alone, ada, bob, eve)
    delivered = recorded(system, ada, bob, eve)

    for event in [each for each in delivered[::order] for _ in range(3)]:
        deliver(alone, event)

    assert alone.document(ada.user).status.phase == "Provisioning"
    assert alone.document(bob.user).status.phase == "Deleted"
    assert len(alone.objects(ada)) == 7
    assert alone.running(bob) == frozenset()
    assert alone.objects(eve) == {}
    for person in (ada, bob):
        document = alone.document(person.user)
        assert document.status.observed == document.observed


def test_two_documents_swap_release_and_take_back_one_email(system: System) -> None:
    ada, bob = somebody("ada"), somebody("bob")
    system.enrol(ada)
    system.enrol(bob)
    # They swap …
    system.set(ada.user, email=bob.email)
    system.set(bob.user, email=ada.email)
    system.until_phase(ada.user, "Provisioning", email=bob.email)
    system.until_phase(bob.user, "Provisioning", email=ada.email)
    system.quiet()
    assert (owners(system, ada), owners(system, bob)) == ({bob.user}, {ada.user})
    # … one asks for what the other has …
    system.set(ada.user, email=ada.email)
    system.until_phase(ada.user, "Rejected", reason="DuplicateEmail", email=ada.email)
    system.quiet()
    assert (owners(system, ada), owners(system, bob)) == ({bob.user}, set())
    # … gets it when the other releases it …
    system.set(bob.user, state="deleted")
    system.until_phase(bob.user, "Deleted")
    system.until_made(ada)
    # … who then wants it back.
    system.set(bob.user, state="running")

    rejected = system.until_phase(bob.user, "Rejected", reason="DuplicateEmail")
    system.quiet()
    assert ada.email in rejected["message"]
    assert repr(ada.user) in rejected["message"]
    assert system.status(ada.user)["phase"] == "Provisioning"
    assert owners(system, ada) == {ada.user}
    assert "emailSince" not in system.status(bob.user)


def enrol_and_change(documents: System | Alone, ada: Person, bob: Person, eve: Person) -> None:
    for person in (ada, bob, eve):
        documents.set(person.user, email=person.email)
    documents.set(ada.user, profile="big")
    documents.set(ada.user, state="stopped")
    documents.set(ada.user, state=None, email=ada.email.upper())
    documents.remove(eve.user)


def recorded(system: System, ada: Person, bob: Person, eve: Person) -> list[Event]:
    """Enrol and change some people, and delete Bob; the events of that, as they wait to be delivered."""
    system.quiet()
    with system.held_up():
        enrol_and_change(system, ada, bob, eve)
        system.publish("delete-user", bob.email.encode())
        system.publish("reconcile-user", {"user": ada.user})

        def look() -> list[Event] | None:
            # Others come by the clock.
            found = [event for event in system.waiting() if event.function != "on_resync"]
            return found if len(found) == 9 else None

        return until(look, "all events wait")


def deliver(alone: Alone, event: Event) -> None:
    """Do what the entry points of main.py do."""
    match event.function:
        case "on_user_written":
            if look := events.look_of_write(decode_write(event.body)):
                alone.reconciler.reconcile(look)
        case "on_delete_user":
            Removal(alone.reconciler).delete(events.deletion_of(decode_message(json.loads(event.body))))
        case "on_reconcile_user":
            alone.reconciler.reconcile(events.look_of_reconcile_user(decode_message(json.loads(event.body))))
        case other:
            raise AssertionError(other)


def facts(system: System, *people: Person) -> list[tuple[dict[str, str], Any]]:
    """The objects and documents of some people."""
    return [(uids(system.kube.objects(each.name)), system.fields(each.user)) for each in people]
