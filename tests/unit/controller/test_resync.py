"""`resync`: those who are due, those who differ from the cluster, and a sweep that would rather do nothing."""

from collections.abc import Callable
from functools import partial

import pytest

from kupyterhub.domain.names import base_name
from twins import World
from twins.world import ADA, objects_of

NAME = base_name(ADA)


def people(world: World, count: int) -> list[str]:
    """Some people who are ready, as `p0`, `p1` and so on."""
    users = [f"p{number}" for number in range(count)]
    for user in users:
        world.ready(user, email=f"{user}@example.com")
    world.bus.take()
    return users


def test_due_asks_for_those_whose_time_has_come(world: World) -> None:
    world.enrol()
    world.ready("bob", email="bob@example.com")
    world.clock.move(minutes=1)
    world.enrol("eve", email="eve@example.com")

    (outcome,) = world.resync.run("due")

    assert world.bus.messages == ["ada"]
    assert outcome.note == "resync due: 1 to look at"


def test_due_with_nobody_due_does_nothing(world: World) -> None:
    world.ready()
    world.cluster.requests.clear()
    world.clock.move(hours=5)

    world.resync.run("due")

    assert (world.bus.messages, world.cluster.requests) == ([], [])


def test_all_asks_for_nobody_where_all_is_well(world: World) -> None:
    people(world, 3)
    world.enrol("stopped", email="stopped@example.com", state="stopped")
    world.enrol("deleted", email="deleted@example.com", state="deleted")
    world.enrol("rejected", email="rejected@example.com", profile="huge")
    world.enrol("duplicate", email="p0@example.com")
    world.deliver_bus()
    world.cluster.requests.clear()

    world.resync.run("all")

    assert world.bus.messages == []
    assert len(world.cluster.requests) == 1


def no_notebook(world: World) -> None:
    world.cluster.drop("Deployment", f"jupyterlab-{NAME}")


def no_agent(world: World) -> None:
    world.cluster.drop("Deployment", f"agent-{NAME}")


def fell_over(world: World) -> None:
    world.clock.move(seconds=5)
    world.cluster.available(f"jupyterlab-{NAME}", status="False")


def lost_event(world: World) -> None:
    world.users.set("ada", state="stopped")


def lost_creation(world: World) -> None:
    world.users.set("ada", status=None)


def other_settings(world: World) -> None:
    world.settings = world.settings.model_copy(update={"admins": ("root@example.com",)})


def foreign_notebook(world: World) -> None:
    for component in ("jupyterlab", "agent"):
        patch = {"metadata": {"annotations": {"kupyterhub/user": "somebody"}}}
        world.cluster.change("Deployment", f"{component}-{NAME}", patch)


DIFFERENCES = [no_notebook, no_agent, fell_over, lost_event, lost_creation, other_settings]


@pytest.mark.parametrize("differ", DIFFERENCES, ids=lambda act: act.__name__.replace("_", " "))
def test_all_asks_for_who_differs(world: World, differ: Callable[[World], None]) -> None:
    world.ready()
    differ(world)

    world.resync.run("all")

    assert world.bus.messages == ["ada"]


def test_objects_of_a_document_that_is_gone_are_swept(world: World) -> None:
    people(world, 3)
    world.ready()
    world.users.remove("ada")

    world.resync.run("all")

    assert not objects_of(ADA) & world.cluster.everything()
    assert f"PersistentVolumeClaim home-{NAME}" in world.cluster.everything()
    assert len(world.cluster.names("Deployment")) == 6


def test_a_name_that_is_not_the_documents_own_is_swept(world: World) -> None:
    world.ready()
    old = {kind: world.cluster.get(kind, f"jupyterlab-{NAME}") for kind in ("Deployment", "Service")}
    world.users.set("ada", email="bob@example.com")
    world.look()
    for manifest in old.values():
        world.cluster.apply(manifest)

    world.resync.run("all")

    assert not objects_of(ADA) & world.cluster.everything()
    assert world.objects() == objects_of("bob@example.com")


@pytest.mark.parametrize(
    ("left", "swept"), [(0, False), (1, False), (2, True)], ids=["empty", "fewer than half", "half"]
)
def test_a_listing_that_is_too_short_stops_the_sweep(world: World, left: int, *, swept: bool) -> None:
    users = people(world, 4)
    for user in users[left:]:
        world.users.remove(user)

    outcome, *_ = world.resync.run("all")

    assert len(world.cluster.names("Deployment")) == (4 if swept else 8)
    assert ("nothing is swept" in outcome.note) is not swept


def test_a_partial_listing_raises_and_sweeps_nothing(world: World) -> None:
    people(world, 2)

    def away() -> None:
        raise ConnectionError

    world.users.requests.before("list", away)
    with pytest.raises(ConnectionError):
        world.resync.run("all")

    assert len(world.cluster.names("Deployment")) == 4


def test_a_document_that_is_new_between_the_listings_is_left_alone(world: World) -> None:
    people(world, 2)
    world.users.requests.before("list", partial(world.ready))

    world.resync.run("all")

    assert objects_of(ADA) <= world.cluster.everything()


def test_a_candidate_that_is_there_after_all_is_not_swept(world: World) -> None:
    people(world, 3)
    world.ready()
    kept = world.users.peek("ada").fields
    world.users.remove("ada")
    world.users.requests.before("get ada", lambda: world.users.set("ada", **kept))

    world.resync.run("all")

    assert objects_of(ADA) <= world.cluster.everything()


def test_the_cluster_is_listed_before_the_documents(world: World) -> None:
    world.ready()
    order: list[str] = []
    world.cluster.requests.always.append(lambda request: order.append(request.split()[0] + " cluster"))
    world.users.requests.always.append(lambda request: order.append(request.split()[0] + " users"))

    world.resync.run("all")

    assert order[:2] == ["list cluster", "list users"]


def test_a_duplicate_that_nobody_told_is_found(world: World) -> None:
    world.ready("first")
    world.enrol("second")
    world.deliver_bus()
    world.users.set("first", state="deleted")
    world.look("first")
    world.bus.take()

    world.resync.run("all")
    world.deliver_bus()

    assert world.status("second").phase == "Provisioning"


def test_an_empty_system_has_nothing_to_sweep(world: World) -> None:
    (outcome,) = world.resync.run("all")

    assert outcome.note == "resync all: 0 documents, 0 to look at, 0 swept"


def test_a_notebook_that_another_document_took_is_taken_back(world: World) -> None:
    world.ready()
    people(world, 2)
    foreign_notebook(world)

    world.resync.run("all")

    assert world.bus.messages == ["ada"]
