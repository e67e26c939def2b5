"""When a notebook is late: Failed, looked at less and less often, and still Ready as soon as it answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, objects_of

DEADLINE = timedelta(minutes=10)
RUNNING: dict[str, Any] = {"state": {"running": {}}}


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
    world.cluster.add_pod(f"jupyterlab-{base_name(ADA)}", phase="Running", containerStatuses=[RUNNING])
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
    assert world.users.phases == [("ada", "Provisioning"), ("ada", "Failed"), ("ada", "Ready")]


TIMES = ("restartedAt", "startedAt", "emailSince", "deletedAt", "updatedAt", "lastActivity", "nextLookAt")
EDGES = {
    "the last day": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    "next year": datetime(2027, 3, 2, tzinfo=UTC),
    "the first day": datetime(1, 1, 1, tzinfo=UTC),
    "null": None,
    "text": "2026-03-02",
    "a number": 7,
}


@pytest.mark.parametrize("edge", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("field", TIMES)
@pytest.mark.parametrize("phase", ["Ready", "Provisioning", "Failed", "Stopped", "Deleted"])
def test_a_time_of_the_status_that_somebody_edited_stops_no_look(
    world: World, phase: str, field: str, edge: datetime | None
) -> None:
    if phase == "Ready":
        world.ready()
    else:
        world.enrol()
    if phase in ("Stopped", "Deleted"):
        world.users.set("ada", state=phase.lower())
    if phase == "Failed":
        world.clock.now += DEADLINE
    world.look()
    assert world.status().phase == phase
    stored = world.users.peek("ada").fields["status"]
    world.users.set("ada", status={**stored, field: edge})
    world.clock.move(seconds=20)

    world.look()
    world.look()

    assert world.status().phase == phase
    world.users.set("ada", restart=True, state="running", profile="big")
    world.cluster.settle()
    world.look()
    mark = world.status().restartedAt
    assert mark is not None
    assert mark - world.clock() < timedelta(seconds=1)
    assert world.status().phase == "Provisioning"
    world.clock.move(seconds=20)
    world.announce()
    assert world.status().phase == "Ready"
    world.delete_user(email=ADA)
    assert world.status().phase == "Deleted"


@pytest.mark.parametrize("minutes", [5, 30], ids=["before the deadline", "while failed"])
def test_who_expires_soon_is_looked_at_then(world: World, minutes: float) -> None:
    expires = world.clock() + timedelta(minutes=minutes, seconds=10)
    world.enrol(expiresAt=expires)
    world.clock.move(minutes=minutes)
    world.look()

    due = world.status().nextLookAt
    assert due is not None
    assert due <= expires
