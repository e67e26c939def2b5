"""`resync`: those who are due, those who differ from the cluster, and a sweep that would rather do nothing."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from kupyterhub.domain.errors import TransientError
from kupyterhub.domain.labels import USER
from kupyterhub_rules.names import base_name
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
    world.enrol("duplicate", email="p0@example.com", restart=True)
    world.deliver_bus()
    world.cluster.requests.clear()

    world.resync.run("all")

    assert world.bus.messages == []
    kinds = ["Deployment", "Service", "Secret", "ServiceAccount", "NetworkPolicy", "PersistentVolumeClaim"]
    assert [request.split()[:2] for request in world.cluster.requests] == [["list", kind] for kind in kinds]


def no_storage(world: World) -> None:
    world.cluster.drop("PersistentVolumeClaim", f"home-{NAME}")


def fell_over(world: World) -> None:
    world.clock.move(seconds=5)
    world.cluster.available(f"jupyterlab-{NAME}", status="False")


def lost_event(world: World) -> None:
    world.users.set("ada", state="stopped")


def lost_creation(world: World) -> None:
    world.users.set("ada", status=None)


def other_settings(world: World) -> None:
    images = world.settings.images.model_copy(update={"agent": "registry.example/agent:2"})
    world.settings = world.settings.model_copy(update={"images": images})


def foreign_notebook(world: World) -> None:
    for component in ("jupyterlab", "agent"):
        patch = {"metadata": {"annotations": {"kupyterhub/user": "somebody"}}}
        world.cluster.change("Deployment", f"{component}-{NAME}", patch)


def other_master_secret(world: World) -> None:
    world.master_secret = b"f" * 32


def restart(world: World) -> None:
    world.users.set("ada", restart=True)


def purge(world: World) -> None:
    world.users.set("ada", state="deleted")
    world.look()
    world.users.set("ada", purge=True)


def other_words(world: World) -> None:
    world.users.set("ada", displayName="Ada Lovelace")


def no_claim(world: World) -> None:
    world.users.lose_claim(NAME)


def expired(world: World) -> None:
    world.users.set("ada", expiresAt=world.clock() + timedelta(minutes=1))
    world.look()
    world.clock.move(minutes=2)


DIFFERENCES = [
    no_storage,
    fell_over,
    lost_event,
    lost_creation,
    other_settings,
    other_master_secret,
    restart,
    purge,
    other_words,
    no_claim,
    expired,
]


@pytest.mark.parametrize("differ", DIFFERENCES, ids=lambda act: act.__name__.replace("_", " "))
def test_all_asks_for_who_differs(world: World, differ: Callable[[World], None]) -> None:
    world.ready()
    differ(world)

    world.resync.run("all")

    assert world.bus.messages == ["ada"]
    world.deliver_bus()
    world.cluster.settle()
    if world.status().phase == "Ready":
        world.resync.run("all")
        assert world.bus.messages == []


def test_other_administrators_or_limits_concern_nobody(world: World) -> None:
    world.ready()
    limits = world.settings.limits.model_copy(update={"looks_per_minute": 1})
    world.settings = world.settings.model_copy(update={"admins": ("root@example.com",), "limits": limits})

    world.resync.run("all")

    assert world.bus.messages == []


DRIFT: list[tuple[str, str, dict[str, Any]]] = [
    ("Deployment", "jupyterlab", {"spec": {"replicas": 0}}),
    ("Deployment", "jupyterlab", {"metadata": {"annotations": {"kupyterhub/applied": "x"}}}),
    ("Deployment", "agent", {"spec": {"replicas": 0}}),
    ("Service", "jupyterlab", {"spec": {"type": "LoadBalancer"}}),
    ("Service", "jupyterlab", {"metadata": {"annotations": {"kupyterhub/idle-timeout": "999999"}}}),
    ("Secret", "jupyterlab", {"data": {"token": "YQ=="}}),
    ("ServiceAccount", "agent", {"automountServiceAccountToken": True}),
    ("NetworkPolicy", "agent", {"spec": {"egress": [{}]}}),
]


@pytest.mark.parametrize(("kind", "prefix", "patch"), DRIFT)
def test_what_somebody_changed_is_found_and_taken_back(
    world: World, kind: str, prefix: str, patch: dict[str, Any]
) -> None:
    people(world, 2)
    world.ready()
    before = world.cluster.get(kind, f"{prefix}-{NAME}")
    world.cluster.change(kind, f"{prefix}-{NAME}", patch)

    world.resync.run("all")

    assert (world.bus.messages, world.bus.thoroughly) == (["ada"], {"ada"})
    world.deliver_bus()
    after = world.cluster.get(kind, f"{prefix}-{NAME}")
    assert (after.get("spec"), after.get("data")) == (before.get("spec"), before.get("data"))
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    world.resync.run("all")
    assert world.bus.messages == []


def test_what_others_add_is_theirs(world: World) -> None:
    world.ready()
    world.cluster.change("Deployment", f"jupyterlab-{NAME}", {"metadata": {"annotations": {"theirs": "yes"}}})

    world.resync.run("all")

    assert world.bus.messages == []


@pytest.mark.parametrize("key", sorted(objects_of(ADA)))
def test_a_missing_object_is_found_and_made_again(world: World, key: str) -> None:
    people(world, 2)
    world.ready()
    world.cluster.drop(*key.split())
    world.cluster.settle()

    world.resync.run("all")

    assert (world.bus.messages, world.bus.thoroughly) == (["ada"], {"ada"})
    world.deliver_bus()
    assert world.objects() == objects_of(ADA)


def test_who_is_asked_for_is_not_asked_for_again_until_the_message_has_come(world: World) -> None:
    world.enrol()
    world.clock.move(minutes=1)
    for _ in range(3):
        world.resync.run("due")
        world.resync.run("all")
    assert world.bus.messages == ["ada"]

    world.deliver_bus()
    world.resync.run("due")

    assert world.bus.messages == ["ada"]


def test_a_message_for_who_is_due_keeps_nobody_from_being_looked_at_thoroughly(world: World) -> None:
    world.enrol()
    world.look()
    world.cluster.drop("Service", f"jupyterlab-{NAME}")
    world.clock.move(minutes=1)

    # On the hour both are published in one second.
    world.resync.run("due")
    world.resync.run("all")
    world.deliver_bus()

    assert world.objects() == objects_of(ADA)


def test_a_message_that_is_lost_is_sent_again(world: World) -> None:
    world.enrol()
    world.clock.move(minutes=1)
    world.resync.run("due")
    world.bus.take()
    world.clock.move(hours=2)

    world.resync.run("due")

    assert world.bus.messages == ["ada"]


def test_a_look_that_fails_is_not_taken_for_done(world: World) -> None:
    world.enrol()
    world.clock.move(minutes=1)
    world.resync.run("due")
    (user,) = world.bus.take()
    world.users.requests.before("get ada", away)
    with pytest.raises(TransientError):
        world.answer(user)

    world.resync.run("due")

    # The platform delivers it again.
    assert world.bus.messages == []


def away() -> None:
    raise TransientError("away")


@pytest.fixture
def slow(world: World) -> World:
    """Seven people in every phase, for whom the settings change; two looks a minute are allowed."""
    people(world, 3)
    world.ready("a-stopped", "stopped@example.com")
    world.users.set("a-stopped", state="stopped")
    world.look("a-stopped")
    world.cluster.settle()
    world.enrol("b-failed", "failed@example.com")
    world.clock.move(minutes=11)
    world.look("b-failed")
    world.enrol("z-starting", "starting@example.com")
    world.look("z-starting")
    limits = world.settings.limits.model_copy(update={"looks_per_minute": 2})
    world.settings = world.settings.model_copy(update={"limits": limits})
    other_settings(world)
    return world


def test_whom_new_settings_concern_is_looked_at_by_and_by_the_most_urgent_first(slow: World) -> None:
    (outcome,) = slow.resync.run("all")

    assert slow.bus.messages == ["z-starting", "b-failed"]
    assert "2 to look at" in outcome.note
    slow.deliver_bus()
    asked = []
    for _ in range(3):
        slow.resync.run("due")
        asked.append(slow.bus.messages[:])
        slow.deliver_bus()
    assert [len(each) for each in asked] == [2, 2, 0]
    current = slow.reconciler.installation.hash
    assert {slow.status(user).settings for user in slow.users.ids()} == {current}


def test_who_is_due_comes_before_whom_new_settings_concern(slow: World) -> None:
    slow.clock.move(minutes=5)

    slow.resync.run("due")

    assert sorted(slow.bus.messages) == ["b-failed", "z-starting"]


def test_who_is_held_back_keeps_nobody_from_being_looked_at(slow: World) -> None:
    allowed = ("*.of@example.com", "p?@example.com", "stopped@example.com", "failed@example.com")
    for number in range(8):
        slow.ready(f"a{number}", f"a{number}@example.com")
    slow.settings = slow.settings.model_copy(update={"allowed_emails": allowed})
    for _ in range(10):
        slow.resync.run("all")
        slow.deliver_bus()
        for _ in range(5):
            slow.clock.move(minutes=1)
            slow.resync.run("due")
            slow.deliver_bus()

    current = slow.reconciler.installation.hash
    assert {slow.status(user).settings for user in ("p0", "p1", "p2", "a-stopped")} == {current}
    assert {slow.status(f"a{number}").phase for number in range(8)} == {"Ready"}


def test_objects_of_a_document_that_is_gone_are_swept(world: World) -> None:
    people(world, 3)
    world.ready()
    world.users.remove("ada")

    world.resync.run("all")
    world.deliver_bus()
    world.cluster.settle()

    assert not objects_of(ADA) & world.cluster.everything()
    assert f"PersistentVolumeClaim home-{NAME}" in world.cluster.everything()
    assert len(world.cluster.names("Deployment")) == 6


def test_a_name_that_is_not_the_documents_own_is_swept(world: World) -> None:
    world.ready()
    old = {kind: world.cluster.get(kind, f"jupyterlab-{NAME}") for kind in ("Deployment", "Service")}
    world.users.set("ada", email="bob@example.com")
    world.look()
    world.cluster.settle()
    for manifest in old.values():
        world.cluster.create(manifest)

    world.resync.run("all")
    world.deliver_bus()
    world.cluster.settle()

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
    world.deliver_bus()
    world.cluster.settle()

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
    world.deliver_bus()

    assert objects_of(ADA) <= world.cluster.everything()


def test_a_candidate_that_is_there_after_all_is_not_swept(world: World) -> None:
    people(world, 3)
    world.ready()
    kept = world.users.peek("ada").fields
    world.users.remove("ada")
    world.users.requests.before("get ada", lambda: world.users.set("ada", **kept))

    world.resync.run("all")
    assert world.bus.messages == ["ada"]
    world.deliver_bus()

    assert objects_of(ADA) <= world.cluster.everything()


def test_the_cluster_is_listed_before_the_documents(world: World) -> None:
    world.ready()
    order: list[str] = []
    world.cluster.requests.always.append(lambda request: order.append(request.split()[0] + " cluster"))
    world.users.requests.always.append(lambda request: order.append(request.split()[0] + " users"))

    world.resync.run("all")

    assert order[:6] == ["list cluster"] * 6
    assert order[6:8] == ["list users"] * 2
    assert "list cluster" not in order[6:]


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


@pytest.mark.parametrize("image", ["allowed", "evil"])
@pytest.mark.parametrize("field", ["purge", "restart", "displayName"])
def test_a_fault_that_came_or_went_and_that_no_event_told_of_is_found(world: World, field: str, image: str) -> None:
    """None of these fields is in `observed`."""
    image = {"allowed": "registry.example/jupyterlab:1", "evil": "evil.example/miner:1"}[image]
    world.enrol(image=image)
    for value in (7, None):
        told = world.status().message
        world.users.set("ada", **{field: value})
        world.clock.move(seconds=1)

        world.resync.run("all")
        world.deliver_bus()

        assert world.status().message != told
        world.resync.run("all")
        assert world.bus.take() == []


def test_a_notebook_that_is_left_running_is_theirs_whatever_others_write_on_it(world: World) -> None:
    world.ready()
    world.users.set("ada", displayName=7)
    world.look()
    world.cluster.change("Deployment", f"jupyterlab-{NAME}", {"metadata": {"annotations": {USER: "eve"}}})

    world.resync.run("all")

    assert world.bus.messages == []


def test_an_empty_system_has_nothing_to_sweep(world: World) -> None:
    (outcome,) = world.resync.run("all")

    assert outcome.note == "resync all: 0 to look at, 0 to sweep"


def test_a_notebook_that_another_document_took_is_taken_back(world: World) -> None:
    world.ready()
    people(world, 2)
    foreign_notebook(world)

    world.resync.run("all")

    assert world.bus.messages == ["ada"]
    world.deliver_bus()
    assert world.objects() == objects_of(ADA)


@pytest.mark.parametrize("swept", ["of nobody", "of who has another"])
def test_a_claim_that_is_not_its_holders_is_swept(world: World, swept: str) -> None:
    people(world, 2)
    world.users.put_claim(NAME, "gone" if swept == "of nobody" else "p0")

    world.resync.run("all")
    world.deliver_bus()

    assert NAME not in world.users.claims()
    assert len(world.users.claims()) == 2
