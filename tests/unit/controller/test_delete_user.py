"""`delete-user` finds a person by what the message names, once; late messages delete nobody who came again."""

from datetime import timedelta
from typing import Any

import pytest

from kupyterhub.domain.errors import TransientError
from kupyterhub_rules.names import base_name, document_id
from twins import World
from twins.users import REMOVED
from twins.world import ADA, objects_of


def test_a_running_user_is_deleted(world: World) -> None:
    world.ready()
    published = world.clock.move(minutes=1)
    world.clock.move(seconds=2)

    (outcome,) = world.delete_user(email=ADA, published=published)

    document = world.users.peek("ada")
    assert outcome.phase == "Deleted"
    assert document.fields["state"] == "deleted"
    assert "purge" not in document.fields
    assert document.status.deletedAt == published
    assert world.cluster.everything() == {f"PersistentVolumeClaim home-{base_name(ADA)}"}


def test_the_state_is_written_in_one_update(world: World) -> None:
    world.ready()
    world.clock.move(minutes=1)
    world.users.requests.clear()
    world.cluster.requests.before("list*", lambda: None)

    world.delete_user(email=ADA, purge=True)

    assert len(world.users.requests.like("write ada")) == 2


@pytest.mark.parametrize("named", ["email", "upper-case email", "user"])
def test_the_person_is_found(world: World, named: str) -> None:
    world.ready()
    world.clock.move(minutes=1)
    if named == "user":
        world.delete_user(user="ada")
    else:
        world.delete_user(email=ADA if named == "email" else "ADA@Example.COM")

    assert world.status().phase == "Deleted"


def test_a_document_that_was_never_looked_at_is_found_by_its_own_email(world: World) -> None:
    world.users.set("somebody", email=ADA)
    world.clock.move(minutes=1)

    world.delete_user(email=ADA)

    assert world.status("somebody").phase == "Deleted"


def test_a_document_in_upper_case_is_found_by_its_status(world: World) -> None:
    world.enrol("somebody", email="ADA@example.com")
    world.clock.move(minutes=1)

    world.delete_user(email=ADA)

    assert world.status("somebody").phase == "Deleted"


def test_a_document_is_found_by_the_derived_id(world: World) -> None:
    user = document_id(ADA)
    world.users.set(user, email=" Ada@Example.com ")
    world.clock.move(minutes=1)

    world.delete_user(email=ADA)

    assert world.status(user).phase == "Deleted"


def test_a_document_whose_own_email_is_another_is_not_deleted(world: World) -> None:
    world.ready()
    world.users.set("ada", email="bob@example.com")
    world.clock.move(minutes=1)

    (outcome,) = world.delete_user(email=ADA)

    assert "no such user" in outcome.note
    assert "state" not in world.users.peek("ada").fields


def test_every_document_of_the_person_is_deleted(world: World) -> None:
    world.ready("first")
    world.enrol("second")
    world.clock.move(minutes=1)

    world.delete_user(email=ADA)
    world.deliver_bus()

    assert [world.status(user).phase for user in ("first", "second")] == ["Deleted", "Deleted"]
    assert not objects_of(ADA) & world.cluster.everything()


def test_an_unknown_user_is_no_error(world: World) -> None:
    (by_email,) = world.delete_user(email="nobody@example.com")
    (by_id,) = world.delete_user(user="nobody")

    assert (by_email.phase, by_id.phase) == (None, None)
    assert "no such user" in by_email.note


def test_a_second_delivery_is_only_a_look(world: World) -> None:
    world.ready()
    published = world.clock.move(minutes=1)
    world.delete_user(email=ADA, published=published)
    before = world.users.peek("ada")
    world.clock.move(minutes=1)

    world.delete_user(email=ADA, published=published)

    assert world.users.peek("ada") == before


@pytest.mark.parametrize("looked_at", [True, False], ids=["and looked at", "and not yet looked at"])
def test_who_is_enrolled_again_survives_a_second_delivery(world: World, *, looked_at: bool) -> None:
    world.ready()
    published = world.clock.move(minutes=1)
    world.delete_user(email=ADA, published=published)
    world.cluster.settle()
    world.clock.move(minutes=1)
    world.users.set("ada", state="running")
    world.clock.move(seconds=1)
    if looked_at:
        world.look()

    world.delete_user(email=ADA, published=published)

    assert world.users.peek("ada").fields["state"] == "running"
    assert world.status().phase == "Provisioning"
    assert objects_of(ADA) <= world.cluster.everything()


def test_who_is_enrolled_again_in_another_document_survives_a_late_message(world: World) -> None:
    world.ready()
    published = world.clock.move(minutes=1)
    world.users.remove("ada")
    world.look(email=ADA)
    world.clock.move(minutes=1)
    world.enrol("new")

    world.delete_user(email=ADA, published=published)

    assert world.status("new").phase == "Provisioning"


def test_who_came_back_by_hand_survives_a_message_of_before(world: World) -> None:
    world.ready()
    world.users.set("ada", state="deleted")
    world.look()
    published = world.clock.move(minutes=1)
    world.clock.move(minutes=1)
    world.users.set("ada", state="running")
    world.clock.move(seconds=1)

    world.delete_user(email=ADA, published=published)

    assert world.status().phase == "Provisioning"


ENROL_AGAIN: list[dict[str, Any]] = [{"state": "running"}, {"state": None}, {"state": REMOVED}]


@pytest.mark.parametrize("touched", [False, True], ids=["and read at once", "and touched once more"])
@pytest.mark.parametrize("again", ENROL_AGAIN, ids=["running", "null", "removed"])
@pytest.mark.parametrize("after", [True, False], ids=["after the enrolment", "before the enrolment"])
def test_a_message_between_the_enrolment_again_and_its_first_look_is_carried_out(
    world: World, again: dict[str, Any], *, after: bool, touched: bool
) -> None:
    world.ready()
    world.users.set("ada", state="deleted")
    world.look()
    world.cluster.settle()
    before = world.clock.move(minutes=1)
    world.clock.move(minutes=1)
    world.users.set("ada", **again)
    published = world.clock.move(seconds=1) if after else before
    if touched:
        world.clock.move(seconds=1)
        world.users.set("ada", form=1)
    world.clock.move(seconds=1)

    world.delete_user(email=ADA, published=published)
    world.look()

    document = world.users.peek("ada")
    assert (document.fields.get("state") == "deleted") is after
    assert document.status.phase == ("Deleted" if after else "Provisioning")
    assert (world.objects() == set()) is after


@pytest.mark.parametrize("expiry", [None, REMOVED, "later"], ids=["null", "removed", "later"])
def test_a_message_after_an_expiry_was_put_off_is_carried_out(world: World, expiry: Any) -> None:
    world.ready(expiresAt=world.clock() + timedelta(hours=1))
    world.clock.move(hours=2)
    world.look()
    world.cluster.settle()
    world.users.set("ada", expiresAt=world.clock() + timedelta(hours=9) if expiry == "later" else expiry)
    published = world.clock.move(minutes=1)

    world.delete_user(email=ADA, published=published)

    assert world.status().phase == "Deleted"


def test_who_came_back_before_anybody_looked_survives_a_message_of_between(world: World) -> None:
    world.ready()
    world.users.set("ada", state="deleted")
    published = world.clock.move(seconds=1)
    world.clock.move(seconds=1)
    world.users.set("ada", state=REMOVED)

    world.delete_user(email=ADA, published=published)

    assert world.status().phase == "Ready"


def test_who_had_expired_unnoticed_is_deleted_and_purged(world: World) -> None:
    world.ready(expiresAt=world.clock() + timedelta(minutes=1))
    published = world.clock.move(minutes=2)
    world.users.set("ada", displayName="Ada")

    world.delete_user(email=ADA, published=published, purge=True)

    assert world.users.peek("ada").fields["state"] == "deleted"
    assert world.status().phase == "Deleted"


def test_a_message_of_after_the_enrolment_deletes_the_person_again(world: World) -> None:
    world.ready()
    world.clock.move(minutes=1)
    world.delete_user(email=ADA)
    world.clock.move(minutes=1)
    world.users.set("ada", state="running")
    world.clock.move(seconds=1)
    world.look()
    world.clock.move(minutes=1)

    world.delete_user(email=ADA)

    assert world.status().phase == "Deleted"


def test_purge_can_follow_a_delete(world: World) -> None:
    world.ready()
    world.clock.move(minutes=1)
    world.delete_user(email=ADA)
    world.cluster.settle()
    world.clock.move(minutes=1)
    world.delete_user(email=ADA, purge=True)
    world.cluster.settle()
    world.look()

    assert world.cluster.everything() == set()


def test_a_document_that_changes_in_the_middle_is_read_again(world: World) -> None:
    world.ready()
    world.clock.move(minutes=1)
    world.users.requests.before("write ada", lambda: world.users.set("ada", form=1))

    world.delete_user(email=ADA)

    assert (world.users.peek("ada").fields["form"], world.status().phase) == (1, "Deleted")


def test_a_document_that_goes_on_changing_is_left_for_another_delivery(world: World) -> None:
    world.ready()
    world.clock.move(minutes=1)
    for nth in range(1, 6):
        world.users.requests.before("write ada", lambda: world.users.set("ada", form=object()), nth=nth)

    with pytest.raises(TransientError, match="changed 5 times"):
        world.delete_user(email=ADA)


def test_a_document_that_goes_in_the_middle_leaves_nothing_running(world: World) -> None:
    world.ready()
    world.clock.move(minutes=1)
    world.users.requests.before("write ada", lambda: world.users.remove("ada"))

    world.delete_user(email=ADA)

    assert not objects_of(ADA) & world.cluster.everything()


def test_a_message_of_before_the_enrolment_is_only_a_look(world: World) -> None:
    world.enrol()
    created = world.users.peek("ada").create_time

    world.delete_user(email=ADA, published=created - timedelta(microseconds=1))

    assert world.status().phase == "Provisioning"
