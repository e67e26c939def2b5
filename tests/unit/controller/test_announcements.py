"""What the proxy says about a user's agent makes Ready, or is ignored for a reason of the contract."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kupyterhub.domain.users import Agent
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA

NAME = base_name(ADA)
URL = f"http://{NAME}.localhost:8000/"


def test_an_accepted_announcement_makes_ready(world: World) -> None:
    world.enrol()
    world.clock.move(seconds=4)

    world.announce(instance="pod-7", last_activity=world.clock())

    status, now = world.status(), world.clock()
    assert (status.phase, status.proxyUrl, status.nextLookAt) == ("Ready", URL, None)
    assert (status.reason, status.message) == (None, None)
    assert status.agent == Agent(proxyUrl=URL, instance="pod-7", registeredAt=now)
    assert status.lastActivity == now


def test_idle_of_this_start_makes_ready_as_well(world: World) -> None:
    world.enrol()
    world.clock.move(seconds=4)

    world.announce("idle", last_activity=world.clock())

    assert world.status().phase == "Ready"


def test_lost_never_makes_ready(world: World) -> None:
    world.enrol()
    world.clock.move(seconds=4)

    world.announce("lost")

    assert (world.status().phase, world.status().agent) == ("Provisioning", None)


def test_lost_is_only_a_look(world: World) -> None:
    world.ready()
    before = world.status()

    assert world.announce("lost").note == "unchanged"
    assert world.status() == before


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"name": "eve-example-com-0123456789abcdef"}, "another name"),
        ({"proxy_url": "http://evil.example/"}, "proxyUrl"),
        ({"proxy_url": f"https://{NAME}.localhost:8000/"}, "proxyUrl"),
        ({"proxy_url": f"http://{NAME}.localhost:8001/"}, "proxyUrl"),
        ({"proxy_url": f"http://{NAME}.localhost:8000@evil.example/"}, "proxyUrl"),
        ({"proxy_url": "http://bob.localhost:8000/"}, "proxyUrl"),
        ({"proxy_url": "http://["}, "proxyUrl"),
        ({"proxy_url": ""}, "proxyUrl"),
        ({"seconds_ago": 1}, "newer"),
    ],
    ids=["name", "domain", "scheme", "port", "userinfo", "another user", "no URL", "empty URL", "older than known"],
)
def test_an_announcement_is_ignored(world: World, other: dict[str, Any], why: str) -> None:
    world.ready()
    if ago := other.pop("seconds_ago", None):
        other["registered_at"] = world.clock() - timedelta(seconds=ago)
    before = world.users.peek("ada")
    world.cluster.requests.clear()

    outcome = world.announce(instance="pod-2", last_activity=world.clock() + timedelta(hours=1), **other)

    assert why in outcome.note
    assert world.users.peek("ada") == before
    assert world.cluster.requests == []


@pytest.mark.parametrize("domain", ["notebooks.googleusercontent.com", "kernels.googleusercontent.com"])
def test_a_url_that_google_gave_is_taken_over_when_it_changes(world: World, domain: str) -> None:
    world.settings = world.settings.model_copy(update={"proxy": "hosted", "domain": None})
    world.enrol()
    world.clock.move(seconds=4)
    world.announce(proxy_url=f"https://5f3a-dot-us-west1.{domain}/")
    assert world.status().proxyUrl == f"https://5f3a-dot-us-west1.{domain}/"

    world.announce(proxy_url=f"https://77ab-dot-us-west1.{domain}/", instance="pod-2")

    assert world.status().proxyUrl == f"https://77ab-dot-us-west1.{domain}/"
    late = world.announcement(
        proxy_url=f"https://5f3a-dot-us-west1.{domain}/", registered_at=world.clock() - timedelta(seconds=1)
    )
    assert "newer" in world.look(announcement=late).note


@pytest.mark.parametrize(
    "url",
    [
        "http://5f3a.notebooks.googleusercontent.com/",
        "https://notebooks.googleusercontent.com/",
        "https://5f3a.notebooks.googleusercontent.com.evil.example/",
        "https://evil.example/.notebooks.googleusercontent.com/",
        "https://evilnotebooks.googleusercontent.com/",
        "https://5f3a.notebooks.googleusercontent.com@evil.example/",
        "https://evil.example#.notebooks.googleusercontent.com",
        "https://5f3a.notebooks.googleusercontent.com:8443/",
        "https://5f3a.storage.googleusercontent.com/",
        URL,
    ],
)
def test_in_hosted_mode_a_url_of_no_agent_of_googles_is_ignored(world: World, url: str) -> None:
    world.settings = world.settings.model_copy(update={"proxy": "hosted", "domain": None})
    world.enrol()
    world.clock.move(seconds=4)

    assert "proxyUrl" in world.announce(proxy_url=url).note
    assert world.status().proxyUrl is None


AHEAD = [timedelta(minutes=5, seconds=1), timedelta(hours=1), timedelta(days=300 * 365)]


@pytest.mark.parametrize("ahead", AHEAD, ids=str)
@pytest.mark.parametrize("field", ["registered_at", "sent_at"])
def test_an_announcement_of_a_time_to_come_is_ignored_and_locks_out_none(
    world: World, field: str, ahead: timedelta
) -> None:
    world.enrol()
    world.clock.move(seconds=4)

    said: dict[str, Any] = {field: world.clock() + ahead}
    assert "to come" in world.announce(**said).note
    assert world.status().agent is None
    world.announce()
    assert world.status().phase == "Ready"


@pytest.mark.parametrize("ahead", AHEAD, ids=str)
def test_a_stored_registration_of_a_time_to_come_locks_nobody_out(world: World, ahead: timedelta) -> None:
    world.ready()
    stored = world.users.peek("ada").fields["status"]
    late = {"registeredAt": world.clock() + ahead, "sentAt": world.clock() + ahead}
    world.users.set(
        "ada", status={**stored, "agent": {**stored["agent"], **late}, "lastActivity": world.clock() + ahead}
    )
    world.look()
    world.clock.move(minutes=1)

    world.announce(instance="pod-2", last_activity=world.clock())

    status = world.status()
    assert status.agent == Agent(URL, "pod-2", world.clock())
    assert (status.phase, status.lastActivity) == ("Ready", world.clock())


@pytest.mark.parametrize("state", ["stopped", "deleted"])
def test_an_announcement_of_somebody_who_should_not_run_is_ignored(world: World, state: str) -> None:
    world.ready()
    world.users.set("ada", state=state)
    world.look()
    before = world.users.peek("ada")

    assert "should not run" in world.announce().note
    assert world.users.peek("ada") == before


def test_an_announcement_of_a_document_that_is_gone_makes_nothing(world: World) -> None:
    world.ready()
    late = world.announcement()
    world.users.remove("ada")
    world.look(announcement=late)

    assert world.objects() == set()


def test_an_announcement_of_before_the_live_deployment_is_not_accepted(world: World) -> None:
    world.ready()
    late = world.announcement(registered_at=world.clock() + timedelta(seconds=1))
    world.clock.move(minutes=10)
    world.cluster.drop("Deployment", f"jupyterlab-{NAME}")
    world.cluster.settle()
    world.look()
    assert world.status().phase == "Provisioning"

    world.look(announcement=late)

    assert world.status().phase == "Provisioning"
    world.announce(instance="pod-2")
    assert world.status().phase == "Ready"


def test_an_unchanged_announcement_is_one_read_and_nothing_else(world: World) -> None:
    world.ready()
    known = world.announcement(registered_at=world.clock())
    before = world.users.peek("ada")
    world.users.requests.clear()
    world.cluster.requests.clear()
    world.clock.move(hours=1)

    world.look(announcement=known)

    assert world.users.peek("ada") == before
    assert (world.users.requests, world.cluster.requests) == (["get ada"], [])


@pytest.mark.parametrize(
    ("minutes", "written"), [(0, False), (9.9, False), (10, True), (60, True), (-20, False)], ids=str
)
def test_activity_is_written_when_it_moved_by_ten_minutes(world: World, minutes: float, *, written: bool) -> None:
    world.enrol()
    started = world.clock.move(seconds=3)
    world.announce(last_activity=started)
    now = world.clock.move(minutes=61)
    moved = started + timedelta(minutes=minutes)

    world.announce(registered_at=started, last_activity=moved)

    assert world.status().lastActivity == (moved if written else started)
    assert world.status().updatedAt == (now if written else started)


def test_another_url_of_the_same_start_is_taken_over(world: World) -> None:
    world.ready()
    registered = world.clock()

    world.announce(registered_at=registered, instance="pod-2")

    assert world.status().agent == Agent(URL, "pod-2", registered)


def test_another_replicas_word_that_nobody_uses_it_counts(world: World) -> None:
    world.ready()
    registered = world.clock()
    now = world.clock.move(hours=2)

    world.announce("idle", registered_at=registered, instance="pod-2", last_activity=now - timedelta(minutes=70))

    assert (world.status().phase, world.status().reason) == ("Stopped", "Idle")


def test_a_notebook_that_fell_over_after_its_announcement_is_not_ready(world: World) -> None:
    world.ready()
    world.clock.move(minutes=30)
    world.cluster.available(f"jupyterlab-{NAME}", status="False")
    world.clock.move(seconds=2)

    world.announce("lost")

    assert (world.status().phase, world.status().proxyUrl) == ("Provisioning", None)
    assert world.status().nextLookAt == world.clock() + timedelta(minutes=1)
    assert world.status().agent is not None


def test_a_notebook_that_answers_again_is_ready_again(world: World) -> None:
    world.ready()
    world.clock.move(minutes=30)
    world.cluster.available(f"jupyterlab-{NAME}", status="False")
    world.clock.move(seconds=2)
    world.announce("lost")
    world.clock.move(seconds=5)

    world.announce()

    assert world.status().phase == "Ready"


def test_a_rejected_user_who_is_left_running_is_announced(world: World) -> None:
    world.ready()
    world.users.set("ada", profile="huge")
    world.look()
    now = world.clock.move(minutes=20)

    world.announce(instance="pod-2", last_activity=now)

    assert world.status().phase == "Rejected"
    assert world.status().agent == Agent(URL, "pod-2", now)
    assert world.status().lastActivity == now


def test_an_announcement_that_was_sent_before_another_puts_no_older_url_back(world: World) -> None:
    world.settings = world.settings.model_copy(update={"proxy": "hosted", "domain": None})
    old, new = (f"https://{host}-dot-us-west1.notebooks.googleusercontent.com/" for host in ("5f3a", "77ab"))
    world.enrol()
    world.clock.move(seconds=4)
    registered = world.clock()
    late = world.announcement(proxy_url=old)
    world.look(announcement=late)
    world.clock.move(seconds=30)
    world.announce(proxy_url=new, registered_at=registered)

    outcome = world.look(announcement=late)

    assert "newer" in outcome.note
    assert (world.status().proxyUrl, world.status().agent) == (new, Agent(new, "pod-1", registered))


def test_an_announcement_that_is_only_sent_again_is_not_written(world: World) -> None:
    world.ready()
    registered, before = world.clock(), world.users.peek("ada")
    world.clock.move(minutes=60)

    assert world.announce(registered_at=registered).note == "announcement already known"
    assert world.users.peek("ada") == before


def test_what_was_stored_before_announcements_said_when_they_were_sent_is_replaced(world: World) -> None:
    world.ready()
    registered = world.clock()
    status = world.status()
    assert status.agent is not None
    without = replace(status, agent=replace(status.agent, sentAt=None))
    world.users.set("ada", status=without.as_document())
    world.clock.move(seconds=-2)

    world.announce(instance="pod-2", registered_at=registered)

    assert world.status().agent == Agent(URL, "pod-2", registered)
