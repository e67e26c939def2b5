"""What a reader found who tried to break the controller: each of it is put right."""

from datetime import timedelta

import pytest

from kupyterhub.domain.errors import DocumentRefused, TransientError
from kupyterhub_rules.names import base_name, document_id
from twins import World
from twins.world import ADA, BOB, objects_of

NAME = base_name(ADA)
DISK = f"home-{NAME}"
NOTEBOOK = f"jupyterlab-{NAME}"
ID = document_id(ADA)


def is_whole(world: World) -> bool:
    """Whether the disk is there, and stays."""
    names = world.cluster.names("PersistentVolumeClaim")
    return DISK in names and "deletionTimestamp" not in world.cluster.get("PersistentVolumeClaim", DISK)["metadata"]


def starts_within_a_minute(world: World) -> bool:
    """Whether somebody who waited for what is ending has all of a server, and a disk."""
    world.cluster.settle()
    world.clock.move(minutes=1)
    world.resync.run("due")
    world.deliver_bus()
    return world.objects() == objects_of(ADA) and is_whole(world)


@pytest.mark.parametrize("comes", ["another document", "the same person again"])
def test_a_purge_that_paused_leaves_the_next_persons_disk(world: World, comes: str) -> None:
    world.ready("x")
    world.users.set("x", state="deleted", purge=True)
    for _ in range(2):
        world.look("x")
        world.cluster.settle()
    user = "y" if comes == "another document" else "x"

    def between() -> None:
        world.look("x")
        world.users.set(user, email=ADA, state="running")
        world.look(user)
        world.clock.move(seconds=3)
        world.cluster.settle()
        world.announce(user=user)

    world.cluster.requests.before(f"read PersistentVolumeClaim {DISK}", between)
    world.look("x")

    assert world.status(user).phase == "Ready"
    assert is_whole(world)


@pytest.mark.parametrize("told", ["of its end", "of its new start", "of both", "of neither"])
def test_a_message_of_before_the_document_was_made_anew_deletes_nobody(world: World, told: str) -> None:
    world.ready(ID)
    published = world.clock.move(seconds=5)
    world.clock.move(seconds=5)
    world.users.remove(ID)
    if told in ("of its end", "of both"):
        world.look(ID, email=ADA)
        world.cluster.settle()
    world.clock.move(seconds=60)
    world.users.set(ID, email=ADA)
    if told in ("of its new start", "of both"):
        world.look(ID)

    world.delete_user(email=ADA, purge=True, published=published)

    assert "state" not in world.users.peek(ID).fields
    assert world.status(ID).phase in ("Provisioning", "Ready")


@pytest.mark.parametrize("looked_at", [True, False], ids=["looked at", "not yet looked at"])
def test_a_second_delivery_deletes_nobody_whose_document_was_overwritten_since(
    world: World, *, looked_at: bool
) -> None:
    world.ready(ID)
    published = world.clock.move(seconds=5)
    world.clock.move(seconds=1)
    world.delete_user(email=ADA, purge=True, published=published, event="on_delete_user 1")
    for _ in range(3):
        world.cluster.settle()
        world.clock.move(seconds=2)
        world.look(ID)
    world.clock.move(seconds=60)
    world.users.overwrite(ID, email=ADA)
    if looked_at:
        world.look(ID)

    world.delete_user(email=ADA, purge=True, published=published, event="on_delete_user 1")

    assert world.status(ID).phase == "Provisioning"
    assert is_whole(world)


def test_nobodys_purge_leaves_the_disk_of_who_is_left_running_on_it(world: World) -> None:
    world.ready("d")
    world.users.set("d", email="typo")
    world.look("d")
    for pod in world.cluster.names("Pod"):
        world.cluster.drop("Pod", pod)

    (outcome,) = world.delete_user(email=ADA, purge=True)

    assert "'d' still runs on them" in outcome.note
    assert is_whole(world)


def test_who_is_enrolled_after_nobodys_purge_starts_at_once(world: World) -> None:
    world.ready("d")
    world.users.remove("d")
    world.look("d", email=ADA)
    world.cluster.settle()
    with pytest.raises(TransientError):
        world.delete_user(email=ADA, purge=True)
    world.cluster.settle()
    world.delete_user(email=ADA, purge=True)
    assert not is_whole(world)

    world.enrol("next", ADA)

    assert world.status("next").reason == "NoPod"
    assert world.cluster.everything() == {f"PersistentVolumeClaim {DISK}"} | objects_of(ADA)


def test_nobodys_purge_that_meets_another_is_tried_again(world: World) -> None:
    world.ready("d")
    world.users.remove("d")
    world.look("d", email=ADA)
    world.cluster.settle()

    def between() -> None:
        with pytest.raises(TransientError):
            world.delete_user(email=ADA, purge=True)

    world.cluster.requests.before(f"read PersistentVolumeClaim {DISK}", between)
    with pytest.raises(TransientError):
        world.delete_user(email=ADA, purge=True)


def test_a_purge_that_was_left_for_another_email_keeps_nobody_from_purging(world: World) -> None:
    world.ready("y")
    world.users.set("y", state="deleted", purge=True)
    world.look("y")
    world.users.set("y", email=BOB)
    world.look("y")
    world.cluster.settle()
    world.clock.move(minutes=6)

    for _ in range(3):
        try:
            world.delete_user(email=ADA, purge=True)
        except TransientError:
            world.cluster.settle()

    assert DISK not in world.cluster.names("PersistentVolumeClaim")
    assert NAME not in world.users.claims()


@pytest.mark.parametrize("written", ["PersistentVolumeClaim home=1", "foo=1", "ConfigMap jupyterlab=1", "=,=", "  "])
def test_what_somebody_writes_into_a_note_is_nothing_to_delete(world: World, written: str) -> None:
    world.ready()
    note = {"metadata": {"annotations": {"kupyterhub/applied": written}}}
    world.cluster.change("Deployment", NOTEBOOK, note)

    world.look()

    assert is_whole(world)
    assert world.objects() == objects_of(ADA)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("kupyterhub/restarted-at", "yesterday"),
        ("kupyterhub/restarted-at", "2026-03-02T09:00:00"),
        ("kupyterhub/max-age", "9" * 30),
        ("kupyterhub/idle-timeout", "9" * 30),
        ("kupyterhub/token-hash", ""),
    ],
)
def test_what_somebody_writes_into_the_template_ends_no_look(world: World, name: str, written: str) -> None:
    world.ready()
    template = {"metadata": {"annotations": {name: written, "kupyterhub/activity": "kernels"}}}
    world.cluster.change("Deployment", NOTEBOOK, {"spec": {"template": template}})

    world.look()
    world.look(thoroughly=True)
    world.resync.run("all")
    world.deliver_bus()

    assert world.status().phase in ("Ready", "Provisioning")


def test_a_document_that_takes_no_status_keeps_no_other_from_being_deleted(world: World) -> None:
    world.ready("a")
    world.users.set("b", email=ADA)
    world.look("b")
    world.clock.move(seconds=1)

    def refuse() -> None:
        raise DocumentRefused("the document is too large")

    world.users.requests.before("write a", refuse)

    outcomes = world.delete_user(email=ADA)

    assert {outcome.user: outcome.phase for outcome in outcomes} == {"a": None, "b": "Deleted"}


def test_nothing_is_left_of_who_was_left_running_and_has_expired(world: World) -> None:
    world.ready(expiresAt=world.clock() + timedelta(hours=1))
    world.users.set("ada", profile="typo")
    world.look()
    world.clock.move(hours=2)

    def die() -> None:
        raise TransientError("killed")

    world.cluster.requests.before("delete *", die, nth=2)
    with pytest.raises(TransientError):
        world.look()
    world.cluster.settle()
    world.look()

    assert world.status().phase == "Deleted"
    assert world.objects() == set()


def test_a_claim_from_the_future_locks_nobody_out(world: World) -> None:
    world.ready()
    world.users.put_claim(NAME, "ada", purging=True, since=world.clock() + timedelta(days=400))

    world.look(thoroughly=True)

    assert world.status().phase == "Ready"


def test_an_own_agent_that_a_kill_left_over_goes_though_a_change_waits(world: World) -> None:
    world.ready()
    images = world.settings.images.model_copy(update={"jupyterlab": "registry.example/jupyterlab:2"})
    world.settings = world.settings.model_copy(update={"agent": "shared", "images": images})
    world.resync.run("all")
    world.cluster.available("agent", status="True")

    def die() -> None:
        raise TransientError("killed")

    world.cluster.requests.before(f"delete Deployment agent-{NAME}", die)
    with pytest.raises(TransientError):
        world.look()
    world.look()
    world.bus.take()

    world.resync.run("all")
    world.deliver_bus()

    assert f"Deployment agent-{NAME}" not in world.cluster.everything()
    assert "A change waits" in (world.status().message or "")
    world.resync.run("all")
    assert world.bus.take() == []


def test_who_comes_back_before_anything_of_a_purge_has_gone_starts_on_the_same_files(world: World) -> None:
    """Nobody purges any more, so there is nothing to wait for but the pod of before."""
    world.ready()
    world.users.set("ada", state="deleted", purge=True)
    world.look()
    world.clock.move(seconds=12)
    world.users.set("ada", state="running", purge=None)

    world.look()

    assert world.status().reason == "Ending"
    assert starts_within_a_minute(world)


def test_who_comes_back_in_the_middle_of_a_purge_waits_some_seconds_and_gets_new_files(world: World) -> None:
    world.ready()
    world.users.set("ada", state="deleted")
    world.look()
    world.cluster.settle()
    world.users.set("ada", purge=True)
    world.look()
    world.users.set("ada", state="running", purge=None)

    world.look()

    assert world.status().reason == "PurgePending"
    assert starts_within_a_minute(world)


def test_a_wait_that_ends_late_is_not_the_new_servers_fault(world: World) -> None:
    world.ready()
    for state in ("stopped", "running"):
        world.users.set("ada", state=state)
        world.look()
    world.clock.move(minutes=9, seconds=59)
    world.look()
    world.cluster.settle()
    world.clock.move(minutes=1)
    world.look()
    world.clock.move(seconds=1)
    world.look()

    assert world.status().phase == "Provisioning"
