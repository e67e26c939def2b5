"""Stopped, deleted, expired or gone: nothing of the user runs, and the notebooks stay."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kupyterhub.domain.users import Status
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, objects_of

NAME = base_name(ADA)
STORAGE = {f"PersistentVolumeClaim home-{NAME}"}


def test_stop_removes_everything_but_the_storage(world: World) -> None:
    world.ready()
    world.look()
    before = world.status()
    world.users.set("ada", state="stopped")
    world.clock.move(minutes=1)

    world.look()

    assert world.cluster.everything() == STORAGE
    assert world.status() == replace(
        before,
        phase="Stopped",
        proxyUrl=None,
        reason=None,
        message="The notebooks are kept; set state to running to start again.",
        observed=world.users.peek("ada").observed,
        agent=None,
        startedAt=None,
        nextLookAt=None,
        updatedAt=world.clock(),
        changes=(),
    )
    assert [change.phase for _, change in world.users.history] == ["Provisioning", "Ready", "Stopped"]


def test_the_notebook_goes_first_and_is_there_until_its_pods_are_gone(world: World) -> None:
    world.ready()
    world.users.set("ada", state="stopped")
    world.cluster.requests.clear()

    world.look()

    gone = [request.split()[1:] for request in world.cluster.requests.like("delete *")]
    assert {" ".join(key) for key in gone} == objects_of(ADA)
    assert gone[0] == ["Deployment", f"jupyterlab-{NAME}"]
    assert world.cluster.requests.like("list *") == []
    assert "deletionTimestamp" in world.cluster.get("Deployment", f"jupyterlab-{NAME}")["metadata"]
    world.cluster.settle()
    assert f"jupyterlab-{NAME}" not in world.cluster.names("Deployment")


def test_a_start_that_waits_for_the_old_pod_too_long_has_failed_and_starts_when_it_is_gone(world: World) -> None:
    world.ready()
    for state in ("stopped", "running"):
        world.users.set("ada", state=state)
        world.look()
    assert (world.status().phase, world.status().reason) == ("Provisioning", "Ending")
    world.clock.move(minutes=11)

    world.look()

    assert (world.status().phase, world.status().reason) == ("Failed", "Ending")
    world.cluster.settle()
    world.look()
    assert world.objects() == objects_of(ADA)


@pytest.mark.parametrize("old", ["Deployment and pod", "pod"])
@pytest.mark.parametrize("state", ["stopped", "deleted"])
def test_a_start_after_a_quick_stop_waits_for_the_old_pod(world: World, state: str, old: str) -> None:
    world.ready()
    world.users.set("ada", state=state)
    world.look()
    if old == "pod":
        world.cluster.drop("Deployment", f"jupyterlab-{NAME}")
    world.users.set("ada", state="running")
    world.clock.move(seconds=1)

    world.look()

    assert (world.status().phase, world.status().reason) == ("Provisioning", "Ending")
    assert "still ending" in (world.status().message or "")
    due = world.status().nextLookAt
    assert due is not None
    assert due <= world.clock() + timedelta(minutes=1)
    assert f"Deployment jupyterlab-{NAME}" not in world.cluster.everything()
    world.cluster.settle()
    world.clock.now = due
    world.resync.run("due")
    world.deliver_bus()
    assert world.cluster.everything() == STORAGE | objects_of(ADA)
    assert world.status().nextLookAt == world.clock() + timedelta(minutes=1)
    world.clock.move(seconds=3)
    world.announce()
    assert world.status().phase == "Ready"


def test_a_second_look_at_a_stopped_user_changes_nothing(world: World) -> None:
    world.ready()
    world.users.set("ada", state="stopped")
    world.look()
    before = world.users.peek("ada")

    assert world.look().note == "unchanged"
    assert world.users.peek("ada") == before


def test_start_brings_everything_back_with_the_same_storage(world: World) -> None:
    world.ready()
    storage = world.cluster.get("PersistentVolumeClaim", f"home-{NAME}")
    world.users.set("ada", state="stopped")
    world.look()
    world.cluster.settle()
    world.clock.move(minutes=5)
    world.users.set("ada", state="running")

    world.look()
    started = world.clock()
    world.clock.move(seconds=1)
    world.look()

    assert world.cluster.everything() == STORAGE | objects_of(ADA)
    assert world.cluster.get("PersistentVolumeClaim", f"home-{NAME}") == storage
    assert (world.status().phase, world.status().startedAt) == ("Provisioning", started)


def test_an_announcement_of_before_the_stop_does_not_make_ready_after_the_start(world: World) -> None:
    world.ready()
    late = world.announcement()
    world.users.set("ada", state="stopped")
    world.look()
    world.cluster.settle()
    world.clock.move(minutes=5)
    world.users.set("ada", state=None)
    world.look()

    world.look(announcement=late)

    assert (world.status().phase, world.status().agent) == ("Provisioning", None)


def test_delete_keeps_what_is_needed_to_find_the_person(world: World) -> None:
    world.ready()
    world.users.set("ada", state="deleted")
    world.clock.move(seconds=5)

    world.look()

    document = world.users.peek("ada")
    assert world.cluster.everything() == STORAGE
    assert document.status == Status(
        phase="Deleted",
        name=NAME,
        email=ADA,
        message="Deleted. The notebooks are kept until purge is set.",
        observed=document.observed,
        deletedAt=world.clock(),
        updatedAt=world.clock(),
        settings=world.reconciler.installation.hash,
        terms=document.status.terms,
    )


def test_a_document_is_looked_at_when_it_expires(world: World) -> None:
    expires = world.clock() + timedelta(hours=2)
    world.ready(expiresAt=expires)

    assert world.status().nextLookAt == expires


NEVER = [
    datetime.max.replace(tzinfo=UTC),
    datetime(9999, 1, 1, tzinfo=UTC),
    datetime(2500, 1, 1, tzinfo=UTC),
    datetime.min.replace(tzinfo=UTC),
    datetime(1, 1, 1, 0, 0, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    None,
]


@pytest.mark.parametrize("never", NEVER, ids=str)
@pytest.mark.parametrize("state", ["running", "stopped"])
def test_what_programs_write_for_never_is_no_end(world: World, never: datetime | None, state: str) -> None:
    world.ready()
    world.users.set("ada", expiresAt=never, state=state)

    world.look()
    world.resync.run("all")

    assert world.status().phase == {"running": "Ready", "stopped": "Stopped"}[state]
    assert world.status().nextLookAt is None
    assert world.users.peek("ada").fields.get("expiresAt") == never


@pytest.mark.parametrize("never", NEVER, ids=str)
def test_a_new_document_that_ends_never_starts(world: World, never: datetime | None) -> None:
    world.enrol(expiresAt=never)
    world.look()

    assert world.status().phase == "Provisioning"
    assert objects_of(ADA) <= world.cluster.everything()


def test_past_expiresAt_a_user_counts_as_deleted(world: World) -> None:  # noqa: N802 - the field's name
    world.ready(expiresAt=world.clock() + timedelta(hours=2))
    world.clock.move(hours=2)

    world.look()

    assert (world.status().phase, world.status().reason) == ("Deleted", "Expired")
    assert world.status().nextLookAt is None
    assert world.cluster.everything() == STORAGE


def test_who_comes_back_from_expired_counts_anew(world: World) -> None:
    world.ready(expiresAt=world.clock() + timedelta(hours=2))
    world.clock.move(hours=3)
    world.look()
    world.cluster.settle()
    document = world.users.set("ada", expiresAt=None)
    world.clock.move(seconds=1)

    world.look()

    assert (world.status().phase, world.status().emailSince) == ("Provisioning", document.update_time)
    assert objects_of(ADA) <= world.cluster.everything()


def test_with_the_document_everything_goes_but_the_storage(world: World) -> None:
    world.ready()
    world.users.remove("ada")

    world.look(email=ADA)

    assert world.cluster.everything() == STORAGE


def test_a_document_that_is_gone_is_nothing_more_to_a_second_look(world: World) -> None:
    world.ready()
    world.users.remove("ada")
    world.look(email=ADA)

    assert world.look(email=ADA).phase is None
    assert world.cluster.everything() == STORAGE


@pytest.mark.parametrize("state", ["stopped", "deleted"])
def test_a_new_document_may_be_at_rest_from_the_start(world: World, state: str) -> None:
    world.enrol(state=state)

    assert world.status().phase == state.capitalize()
    assert world.cluster.everything() == set()


def test_fields_of_others_are_left_alone(world: World) -> None:
    world.enrol(form={"class": "7b"}, notes=["a"])
    world.users.set("ada", state="deleted")
    world.look()

    fields = world.users.peek("ada").fields
    assert (fields["form"], fields["notes"]) == ({"class": "7b"}, ["a"])
