"""Storage goes only by `purge`, with `deleted`, and only when nobody else has the e-mail and no pod is left."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from kupyterhub.domain.errors import TransientError
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA

STORAGE = f"home-{base_name(ADA)}"


def has_storage(world: World) -> bool:
    return STORAGE in world.cluster.names("PersistentVolumeClaim")


def purge(world: World) -> None:
    world.users.set("ada", state="deleted", purge=True)
    world.look()


def let_time_do_its_work(world: World) -> None:
    """Pods end, Kubernetes no longer protects the claim, and the controller looks after each."""
    for _ in range(2):
        world.cluster.settle()
        world.clock.move(minutes=1)
        world.look()


def test_without_purge_the_storage_stays_for_ever(world: World) -> None:
    world.ready()
    world.users.set("ada", state="deleted")
    world.look()
    world.cluster.settle()
    world.resync.run("all")
    world.deliver_bus()

    assert has_storage(world)


def test_a_purge_waits_for_the_pods_and_says_when_it_looks_again(world: World) -> None:
    world.ready()

    purge(world)

    assert world.users.peek("ada").fields["purge"] is True
    assert world.status().phase == "Deleted"
    assert world.status().nextLookAt is not None
    assert "within a minute or two" in (world.status().message or "")
    assert "deletionTimestamp" not in world.cluster.get("PersistentVolumeClaim", STORAGE)["metadata"]


def test_a_purge_ends_when_the_storage_is_gone(world: World) -> None:
    world.ready()
    purge(world)
    for _ in range(3):
        world.cluster.settle()
        world.clock.move(minutes=1)
        world.resync.run("due")
        world.deliver_bus()

    assert not has_storage(world)
    assert "purge" not in world.users.peek("ada").fields
    assert (world.status().phase, world.status().nextLookAt) == ("Deleted", None)
    assert world.status().message == "Deleted, and the notebooks purged."


def test_the_message_of_a_purge_stays(world: World) -> None:
    test_a_purge_ends_when_the_storage_is_gone(world)

    assert world.look().note == "unchanged"


def test_an_expired_user_can_be_purged(world: World) -> None:
    world.enrol(expiresAt=world.clock() + timedelta(hours=1))
    world.clock.move(hours=2)
    world.users.set("ada", purge=True)
    world.look()
    let_time_do_its_work(world)

    assert not has_storage(world)
    assert world.status().reason == "Expired"


def test_a_purge_of_somebody_who_never_ran_is_done_at_once(world: World) -> None:
    world.users.set("ada", email=ADA, state="deleted", purge=True)
    world.look()

    assert "purge" not in world.users.peek("ada").fields


def test_a_purge_without_an_email_is_done_at_once(world: World) -> None:
    world.users.set("ada", state="deleted", purge=True)
    world.look()

    assert "purge" not in world.users.peek("ada").fields
    assert "no e-mail" in (world.status().message or "")


@pytest.mark.parametrize("looked_at", [True, False], ids=["looked at", "not yet looked at"])
@pytest.mark.parametrize("state", ["running", "stopped"])
@pytest.mark.parametrize("spelled", [ADA, "Ada@Example.com", " ada@EXAMPLE.com"])
def test_nothing_is_purged_while_another_document_has_the_email(
    world: World, spelled: str, state: str, *, looked_at: bool
) -> None:
    world.ready()
    world.users.set("second", email=spelled, state=state)
    if looked_at:
        world.look("second")

    purge(world)

    assert has_storage(world)
    assert "purge" not in world.users.peek("ada").fields
    assert "another document has the e-mail" in (world.status().message or "")
    let_time_do_its_work(world)
    assert has_storage(world)


def test_a_deleted_document_does_not_protect_the_storage(world: World) -> None:
    world.ready()
    world.users.set("second", email=ADA, state="deleted")
    world.look("second")
    purge(world)
    let_time_do_its_work(world)

    assert not has_storage(world)


def test_purge_of_a_stopped_user_removes_nothing(world: World) -> None:
    world.ready()
    world.users.set("ada", state="stopped", purge=True)
    world.look()
    let_time_do_its_work(world)

    assert has_storage(world)


def test_delete_user_with_purge_removes_the_storage(world: World) -> None:
    world.ready()
    world.clock.move(minutes=1)
    world.delete_user(email=ADA, purge=True)
    let_time_do_its_work(world)

    assert not has_storage(world)
    assert world.status().phase == "Deleted"


def test_delete_user_with_purge_works_when_no_document_is_left(world: World) -> None:
    world.ready()
    world.users.remove("ada")
    world.look(email=ADA)
    with pytest.raises(TransientError, match="still in use"):
        world.delete_user(email=ADA, purge=True)
    assert has_storage(world)

    world.cluster.settle()
    with pytest.raises(TransientError, match="still in use"):
        world.delete_user(email=ADA, purge=True)
    world.cluster.settle()
    (outcome,) = world.delete_user(email=ADA, purge=True)

    assert "purged" in outcome.note
    assert not has_storage(world)


def test_delete_user_without_purge_leaves_the_storage_when_no_document_is_left(world: World) -> None:
    world.ready()
    world.users.remove("ada")
    world.look(email=ADA)
    world.cluster.settle()

    (outcome,) = world.delete_user(email=ADA)

    assert "no such user" in outcome.note
    assert has_storage(world)


def test_who_comes_back_while_the_storage_goes_waits_and_gets_new_storage(world: World) -> None:
    world.ready()
    purge(world)
    world.cluster.settle()
    world.look()
    assert "deletionTimestamp" in world.cluster.get("PersistentVolumeClaim", STORAGE)["metadata"]
    world.users.set("ada", state="running", purge=None)

    world.look()
    assert (world.status().phase, world.status().reason) == ("Provisioning", "PurgePending")
    assert world.objects() == set()
    go_on(world)

    assert runs_on_a_disk(world, "ada")


IN_A_PURGE = [
    "get ada",
    f"take {base_name(ADA)} ada",
    "query email *",
    "list Pod *",
    "read PersistentVolumeClaim *",
    "delete PersistentVolumeClaim *",
    "write ada",
]


@pytest.mark.parametrize("request_", IN_A_PURGE)
@pytest.mark.parametrize("look", range(3), ids="look {}".format)
@pytest.mark.parametrize("spelled", [ADA, "Ada@Example.com"])
def test_a_second_document_that_starts_during_a_purge_runs_on_a_disk(
    world: World, spelled: str, look: int, request_: str
) -> None:
    world.ready()
    world.users.set("ada", state="deleted", purge=True)
    for _ in range(look):
        world.look()
        world.cluster.settle()
        world.clock.move(minutes=1)
    for requests in (world.users.requests, world.cluster.requests):
        requests.before(request_, partial(enrol, world, spelled))
    attempt(world, "ada")
    enrol(world, spelled)

    go_on(world)

    assert runs_on_a_disk(world, "second")
    assert "purge" not in world.users.peek("ada").fields
    assert world.users.claims() == {base_name(ADA): "second"}


@pytest.mark.parametrize(
    "request_", ["query email *", "take *", "list Pod *", "read Persistent*", "delete Persistent*"]
)
def test_somebody_who_is_enrolled_while_nobodys_storage_is_purged_runs_on_a_disk(world: World, request_: str) -> None:
    world.ready()
    world.users.remove("ada")
    world.look(email=ADA)
    world.cluster.settle()
    for requests in (world.users.requests, world.cluster.requests):
        requests.before(request_, partial(enrol, world, ADA))
    published = world.clock()
    with suppress(TransientError):
        world.delete_user(email=ADA, purge=True, published=published)
    enrol(world, ADA)

    go_on(world)

    assert runs_on_a_disk(world, "second")


def test_delete_user_with_purge_does_not_overlook_who_was_not_looked_at_yet(world: World) -> None:
    world.ready()
    world.users.remove("ada")
    world.look(email=ADA)
    world.cluster.settle()
    world.clock.move(minutes=1)
    published = world.clock()
    world.clock.move(minutes=1)
    world.users.set("new", email="Ada@Example.com")

    world.delete_user(email=ADA, purge=True, published=published)

    assert has_storage(world)
    assert "state" not in world.users.peek("new").fields


def enrol(world: World, email: str) -> None:
    """A second document with the e-mail is there, and is looked at."""
    world.users.set("second", email=email)
    attempt(world, "second")


def attempt(world: World, user: str) -> None:
    """An event asks for a look, and comes again later where it fails."""
    with suppress(TransientError):
        world.look(user)


def go_on(world: World) -> None:
    """A quarter of an hour goes by."""
    for _ in range(15):
        world.cluster.settle()
        world.clock.move(minutes=1)
        world.resync.run("due")
        for user in [*world.bus.take(), "ada", "second"]:
            attempt(world, user)
    world.deliver_bus()


def runs_on_a_disk(world: World, user: str) -> bool:
    """Whether somebody runs, and on a disk that stays."""
    meta = world.cluster.get("PersistentVolumeClaim", STORAGE)["metadata"]
    return "deletionTimestamp" not in meta and f"Deployment jupyterlab-{base_name(ADA)}" in world.objects(user)


def test_a_purge_is_of_the_documents_own_email_and_leaves_the_storage_of_a_former_one(world: World) -> None:
    world.ready()
    world.users.set("ada", email="ada.new@example.com", state="deleted", purge=True)
    world.look()
    let_time_do_its_work(world)

    assert "purge" not in world.users.peek("ada").fields
    assert has_storage(world)
