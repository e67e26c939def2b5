"""When a notebook is late: Failed, looked at less and less often, and still Ready as soon as it answers."""

from datetime import timedelta

import pytest

from kupyterhub.domain.names import base_name
from twins import World
from twins.world import ADA, objects_of

DEADLINE = timedelta(minutes=10)


def test_a_due_look_while_provisioning_never_passes_the_deadline(world: World) -> None:
    world.enrol()
    started = world.clock()
    world.cluster.available(f"jupyterlab-{base_name(ADA)}", status="False")
    world.clock.move(minutes=9, seconds=30)
    world.look()

    assert world.status().phase == "Provisioning"
    assert (world.status().nextLookAt or started) <= started + DEADLINE


def test_who_is_not_ready_by_the_deadline_has_failed_and_keeps_all_objects(world: World) -> None:
    world.enrol()
    world.clock.now += DEADLINE

    world.look()

    status = world.status()
    assert (status.phase, status.reason) == ("Failed", "NotReadyInTime")
    assert "in time" in (status.message or "")
    assert objects_of(ADA) <= world.cluster.everything()


def test_the_next_looks_are_1_2_4_up_to_60_minutes_apart(world: World) -> None:
    world.enrol()
    world.clock.now += DEADLINE
    steps = []
    for _ in range(9):
        world.look()
        due = world.status().nextLookAt
        assert due is not None
        steps.append((due - world.clock()) / timedelta(minutes=1))
        world.clock.now = due

    assert steps == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_look_in_between_moves_nothing(world: World) -> None:
    world.enrol()
    world.clock.now += DEADLINE
    world.look()
    before = world.users.peek("ada")
    world.clock.move(seconds=30)

    assert world.look().note == "unchanged"
    assert world.users.peek("ada") == before


def test_a_late_announcement_still_makes_ready(world: World) -> None:
    world.enrol()
    world.clock.now += DEADLINE
    world.look()
    world.clock.move(minutes=40)

    world.announce()

    assert (world.status().phase, world.status().reason, world.status().nextLookAt) == ("Ready", None, None)
    assert world.users.history == [("ada", "Provisioning"), ("ada", "Failed"), ("ada", "Ready")]


@pytest.mark.parametrize("minutes", [5, 30], ids=["before the deadline", "while failed"])
def test_who_expires_soon_is_looked_at_then(world: World, minutes: float) -> None:
    expires = world.clock() + timedelta(minutes=minutes, seconds=10)
    world.enrol(expiresAt=expires)
    world.clock.move(minutes=minutes)
    world.look()

    due = world.status().nextLookAt
    assert due is not None
    assert due <= expires
