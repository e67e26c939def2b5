"""Events that come twice, late, in any order, and about two documents that want one e-mail."""

from typing import Any

from cluster.controller.kube import uids
from cluster.controller.system import Event, Person, System, somebody, until
from cluster.controller.test_bad_documents import owners


def test_events_three_times_and_in_reverse_order_change_nothing_any_more(system: System) -> None:
    ada, bob, eve = (somebody(word) for word in ("ada", "bob", "eve"))
    with system.held_up():
        for person in (ada, bob, eve):
            system.enrol(person)
        system.set(ada.user, profile="big")
        system.set(ada.user, state="stopped")
        system.publish("delete-user", bob.email.encode())
        system.set(ada.user, state=None, email=ada.email.upper())
        system.remove(eve.user)
        system.publish("reconcile-user", {"user": ada.user})
        events = wait_for(system, 9)
    system.quiet()
    for person, phase in ((ada, "Provisioning"), (bob, "Deleted")):
        system.until_phase(person.user, phase)
    assert {event.function for event in events} == {"on_user_written", "on_delete_user", "on_reconcile_user"}
    before = facts(system, ada, bob, eve)
    # Bob has notebooks if he was looked at before he was deleted; two looks at once decide that.
    assert set(before[1][0]) <= {f"PersistentVolumeClaim home-{bob.name}"}
    assert (len(before[0][0]), len(before[2][0])) == (7, 0)

    for event in [each for each in reversed(events) for _ in range(3)]:
        assert system.deliver(event) // 100 == 2
    system.quiet()

    assert facts(system, ada, bob, eve) == before


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
    system.until_phase(ada.user, "Provisioning")
    system.until_phase(bob.user, "Deleted")
    # … who then wants it back.
    system.set(bob.user, state="running")

    rejected = system.until_phase(bob.user, "Rejected", reason="DuplicateEmail")
    system.quiet()
    assert ada.email in rejected["message"]
    assert system.status(ada.user)["phase"] == "Provisioning"
    assert owners(system, ada) == {ada.user}
    assert system.status(ada.user)["emailSince"] < system.status(bob.user)["emailSince"]


def wait_for(system: System, number: int) -> list[Event]:
    """The waiting events, once there are so many, those left out that come by the clock."""

    def look() -> list[Event] | None:
        events = [event for event in system.waiting() if event.function != "on_resync"]
        return events if len(events) >= number else None

    return until(look, f"{number} events wait")


def facts(system: System, *people: Person) -> list[tuple[dict[str, str], Any]]:
    """The objects and documents of some people."""
    return [(uids(system.kube.objects(each.name)), system.fields(each.user)) for each in people]
