"""Who does nothing for long, or runs for very long, is stopped; the reason is kept while the user stays Stopped."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA


def idle_since(world: World) -> datetime:
    """Ada is ready, was active at the time that is returned, and has done nothing for an hour since."""
    world.enrol()
    active = world.clock.move(seconds=3)
    world.announce(last_activity=active)
    world.clock.move(hours=1)
    return active


def test_an_idle_user_is_stopped_with_a_reason_in_one_update(world: World) -> None:
    active = idle_since(world)
    world.users.requests.clear()

    world.announce("idle", registered_at=active, last_activity=active)

    document = world.users.peek("ada")
    assert document.fields["state"] == "stopped"
    assert (document.status.phase, document.status.reason) == ("Stopped", "Idle")
    assert "nobody used it" in (document.status.message or "")
    assert document.status.agent is None
    assert world.objects() == set()
    assert len(world.users.requests.like("write ada")) == 2


def test_the_reason_is_kept_while_stopped_and_gone_after_the_start(world: World) -> None:
    active = idle_since(world)
    world.announce("idle", registered_at=active, last_activity=active)
    world.look()
    assert world.status().reason == "Idle"

    world.users.set("ada", state="running")
    world.look()
    assert (world.status().phase, world.status().reason) == ("Provisioning", "NoPod")
    world.users.set("ada", state="stopped")
    world.look()

    assert (world.status().phase, world.status().reason) == ("Stopped", None)


@pytest.mark.parametrize(
    "other",
    [
        {"registered_at": timedelta(seconds=-60)},
        {"last_activity": timedelta(seconds=-1)},
        {"last_activity": timedelta(seconds=1)},
        {"sent_at": timedelta(minutes=45)},
        {"last_activity": None},
    ],
    ids=[
        "registered before the start",
        "active before what is known",
        "active within the timeout",
        "sent 15 minutes ago",
        "without activity",
    ],
)
def test_an_idle_message_that_says_nothing_about_now_stops_nobody(world: World, other: dict[str, Any]) -> None:
    active = idle_since(world)
    said: dict[str, Any] = {"registered_at": active, "last_activity": active}
    said |= {name: value and active + value for name, value in other.items()}

    world.announce("idle", **said)

    assert (world.status().phase, world.users.peek("ada").fields.get("state")) == ("Ready", None)


def test_a_message_just_under_15_minutes_old_counts(world: World) -> None:
    active = idle_since(world)
    sent = world.clock()
    world.clock.move(minutes=14, seconds=59)

    world.announce("idle", registered_at=active, last_activity=active, sent_at=sent)

    assert world.status().phase == "Stopped"


def test_a_warning_that_comes_after_the_timeout_stops_nobody_who_may_have_pressed_keep(world: World) -> None:
    active = idle_since(world)
    sent = world.clock() - timedelta(seconds=1)

    world.announce("idle", registered_at=active, last_activity=active, sent_at=sent)

    assert world.status().phase == "Ready"


def test_registered_never_stops_anybody(world: World) -> None:
    active = idle_since(world)

    world.announce("registered", registered_at=active, last_activity=active)

    assert world.status().phase == "Ready"


def test_a_document_that_no_longer_says_running_is_not_stopped_as_idle(world: World) -> None:
    active = idle_since(world)
    world.users.requests.before("write ada", lambda: world.users.set("ada", state="deleted"))

    world.announce("idle", registered_at=active, last_activity=active)

    assert world.users.peek("ada").fields["state"] == "deleted"
    world.look()
    assert (world.status().phase, world.status().reason) == ("Deleted", None)


def test_a_profile_without_idle_timeout_stops_nobody(world: World) -> None:
    world.enrol(profile="big")
    active = world.clock.move(seconds=3)
    world.announce(last_activity=active)
    world.clock.move(hours=9)

    world.announce("idle", registered_at=active, last_activity=active)

    assert world.status().phase == "Ready"


def test_a_rejected_user_who_is_left_running_is_stopped_when_idle(world: World) -> None:
    active = idle_since(world)
    world.users.set("ada", profile="huge")
    world.look()

    world.announce("idle", registered_at=active, last_activity=active)

    assert (world.status().phase, world.status().reason) == ("Stopped", "Idle")
    assert world.objects() == set()


def test_at_its_maximum_age_a_notebook_is_stopped(world: World) -> None:
    world.ready(profile="big")
    due = world.status().nextLookAt
    started = world.status().startedAt
    assert started is not None
    assert due == started + timedelta(hours=12)
    world.clock.now = due

    world.look()

    document = world.users.peek("ada")
    assert (document.fields["state"], document.status.phase, document.status.reason) == (
        "stopped",
        "Stopped",
        "MaxAge",
    )
    assert world.cluster.everything() == {f"PersistentVolumeClaim home-{base_name(ADA)}"}


def test_after_maximum_age_a_start_runs_for_the_whole_age_again(world: World) -> None:
    world.ready(profile="big")
    world.clock.move(hours=13)
    world.look()
    world.cluster.settle()
    world.users.set("ada", state="running")
    world.look()
    started = world.clock()
    world.clock.move(seconds=3)
    world.announce()

    assert (world.status().phase, world.status().startedAt) == ("Ready", started)
    assert world.status().nextLookAt == started + timedelta(hours=12)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_age": timedelta(minutes=5)}, False),
        ({"max_age": timedelta(minutes=5)}, True),
        ({"idle_timeout": timedelta(minutes=5)}, True),
    ],
    ids=["maxAge", "maxAge with a message", "idleTimeout"],
)
@pytest.mark.parametrize("by", ["the document", "the settings"])
def test_what_would_end_a_running_notebook_at_once_waits_for_the_next_start(
    world: World, by: str, changed: dict[str, Any], *, said: bool
) -> None:
    short = world.settings.profiles["default"].model_copy(update=changed)
    other = {"short": short} if by == "the document" else {"default": short}
    profiles = {**world.settings.profiles, **other}
    if by == "the document":
        world.settings = world.settings.model_copy(update={"profiles": profiles})
    world.enrol()
    active = world.clock.move(seconds=3)
    world.announce(last_activity=active)
    world.clock.move(minutes=30)
    world.settings = world.settings.model_copy(update={"profiles": profiles})
    if by == "the document":
        world.users.set("ada", profile="short")

    world.look()
    world.look(thoroughly=True)
    if said:
        world.announce("idle", registered_at=active, last_activity=active)

    assert (world.status().phase, world.users.peek("ada").fields.get("state")) == ("Ready", None)
    assert "A change waits for the next start" in (world.status().message or "")
    service = world.cluster.get("Service", f"jupyterlab-{base_name(ADA)}")["metadata"]["annotations"]
    assert service["kupyterhub/idle-timeout"] == "3600"
    world.users.set("ada", restart=True)
    world.look()
    service = world.cluster.get("Service", f"jupyterlab-{base_name(ADA)}")["metadata"]["annotations"]
    assert service["kupyterhub/idle-timeout"] == f"{short.idle_timeout and short.idle_timeout.total_seconds():.0f}"


def test_a_maximum_age_that_is_taken_away_ends_a_running_notebook_still(world: World) -> None:
    world.ready(profile="big")
    world.users.set("ada", profile="default")
    world.look()
    assert world.status().nextLookAt is not None
    world.clock.move(hours=13)

    world.look()

    assert (world.status().phase, world.status().reason) == ("Stopped", "MaxAge")
