"""Two documents, one e-mail: the smaller (emailSince, id) holds it; when it lets go, the other takes over."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from kupyterhub.domain.names import base_name
from twins import World
from twins.world import ADA, objects_of

NOTEBOOK = f"jupyterlab-{base_name(ADA)}"


def two(world: World) -> None:
    """`first` and `second` are enrolled with one e-mail, in this order."""
    world.ready("first")
    world.clock.move(minutes=1)
    world.enrol("second")
    world.deliver_bus()


def phases(world: World) -> dict[str, tuple[str | None, str | None]]:
    return {user: (world.status(user).phase, world.status(user).reason) for user in world.users.ids()}


def test_the_later_document_is_rejected_and_the_earlier_runs_on(world: World) -> None:
    two(world)

    assert phases(world) == {"first": ("Ready", None), "second": ("Rejected", "DuplicateEmail")}
    assert world.objects("first") == objects_of(ADA)
    assert world.objects("second") == set()
    assert ADA in (world.status("second").message or "")


def test_the_smaller_id_holds_among_equals(world: World) -> None:
    for user in ("b", "a"):
        world.users.set(user, email=ADA, status={"phase": "Provisioning", "email": ADA, "emailSince": world.clock()})
    for user in ("b", "a"):
        world.look(user)
    world.deliver_bus()

    assert phases(world)["b"] == ("Rejected", "DuplicateEmail")
    assert world.objects("a") == objects_of(ADA)
    assert world.objects("b") == set()


def test_the_earlier_one_holds_even_when_it_is_looked_at_last(world: World) -> None:
    world.users.set("first", email=ADA)
    world.clock.move(seconds=1)
    world.enrol("second")
    assert world.objects("second") == objects_of(ADA)

    world.look("first", created=True)
    world.deliver_bus()

    assert phases(world) == {"first": ("Provisioning", "Starting"), "second": ("Rejected", "DuplicateEmail")}
    assert world.objects("first") == objects_of(ADA)


MIDDLES = [
    "query status.email*",
    f"read Deployment {NOTEBOOK}",
    f"apply Secret {NOTEBOOK}",
    f"apply Deployment {NOTEBOOK}",
    f"apply Service {NOTEBOOK}",
    "apply Deployment agent-*",
    "write second",
]


@pytest.mark.parametrize("request_", MIDDLES)
def test_an_earlier_one_that_comes_in_the_middle_of_a_look_holds(world: World, request_: str) -> None:
    world.users.set("first", email=ADA)
    world.clock.move(seconds=1)
    world.users.set("second", email=ADA)
    world.clock.move(seconds=1)
    for requests in (world.cluster.requests, world.users.requests):
        requests.before(request_, lambda: world.look("first", created=True))

    world.look("second", created=True)
    world.deliver_bus()

    assert phases(world) == {"first": ("Provisioning", "Starting"), "second": ("Rejected", "DuplicateEmail")}
    assert world.objects("first") == objects_of(ADA)
    assert world.objects("second") == set()


def test_an_unchanged_holder_asks_nobody(world: World) -> None:
    two(world)
    world.look("first")
    world.users.requests.clear()

    world.look("first")

    assert world.users.requests == ["get first"]


def test_two_that_stay_stopped_fall_silent(world: World) -> None:
    two(world)
    for user in ("first", "second"):
        world.users.set(user, state="stopped")
        world.look(user)

    world.deliver_bus()

    assert phases(world) == {"first": ("Stopped", None), "second": ("Stopped", None)}


def deleted(world: World) -> None:
    world.users.set("first", state="deleted")
    world.look("first")


def expired(world: World) -> None:
    world.users.set("first", expiresAt=world.clock() - timedelta(seconds=1))
    world.look("first")


def changed(world: World) -> None:
    world.users.set("first", email="other@example.com")
    world.look("first")


def malformed(world: World) -> None:
    world.users.set("first", email="no e-mail")
    world.look("first")


def removed(world: World) -> None:
    world.users.remove("first")
    world.look("first", list_objects=True, email=ADA)


@pytest.mark.parametrize("release", [deleted, expired, changed, malformed, removed], ids=lambda act: act.__name__)
def test_the_other_takes_over_when_the_holder_lets_go(world: World, release: Callable[[World], None]) -> None:
    two(world)

    release(world)
    assert world.bus.messages == ["second"]
    world.deliver_bus()

    assert world.status("second").phase == "Provisioning"
    assert world.objects("second") == objects_of(ADA)


def test_the_other_is_told_before_the_own_status_is_written(world: World) -> None:
    two(world)
    world.users.set("first", state="deleted")
    told: list[list[str]] = []
    world.users.requests.before("write first", lambda: told.append(list(world.bus.messages)))

    world.look("first")

    assert told == [["second"]]


def test_who_took_over_holds_against_the_one_who_comes_back(world: World) -> None:
    two(world)
    deleted(world)
    world.deliver_bus()
    world.clock.move(minutes=1)
    world.users.set("first", state="running")
    world.clock.move(seconds=1)

    world.look("first")
    world.deliver_bus()

    # What let go counts anew since it came back; the other has counted since before.
    assert phases(world) == {"first": ("Rejected", "DuplicateEmail"), "second": ("Provisioning", "Starting")}
    assert world.objects("second") == objects_of(ADA)


def test_a_stopped_holder_still_holds(world: World) -> None:
    two(world)
    world.users.set("first", state="stopped")
    world.look("first")
    world.deliver_bus()

    assert phases(world) == {"first": ("Stopped", None), "second": ("Rejected", "DuplicateEmail")}
    assert world.objects("second") == set()


def test_an_announcement_of_the_holder_does_not_make_the_other_ready(world: World) -> None:
    two(world)

    world.announce(user="second")

    assert phases(world)["second"] == ("Rejected", "DuplicateEmail")
    assert (world.status("second").agent, world.status("second").proxyUrl) == (None, None)


def test_a_takeover_by_another_document_restarts_no_kernel(world: World) -> None:
    two(world)
    malformed(world)
    uid = world.cluster.get("Deployment", NOTEBOOK)["metadata"]["uid"]
    world.deliver_bus()

    assert world.cluster.get("Deployment", NOTEBOOK)["metadata"]["uid"] == uid
    assert world.objects("second") == objects_of(ADA)


def test_a_takeover_with_another_profile_restarts_no_kernel_and_waits(world: World) -> None:
    two(world)
    world.users.set("second", profile="big")
    malformed(world)
    before = world.cluster.get("Deployment", NOTEBOOK)
    world.deliver_bus()

    after = world.cluster.get("Deployment", NOTEBOOK)
    assert (after["spec"], after["metadata"]["uid"]) == (before["spec"], before["metadata"]["uid"])
    assert world.objects("second") == objects_of(ADA)
    world.look("second")
    world.announce(user="second")
    assert "A change waits" in (world.status("second").message or "")


def test_what_was_taken_over_does_not_go_with_the_former_document(world: World) -> None:
    test_a_takeover_with_another_profile_restarts_no_kernel_and_waits(world)
    uid = world.cluster.get("Deployment", NOTEBOOK)["metadata"]["uid"]
    removed(world)

    assert world.cluster.get("Deployment", NOTEBOOK)["metadata"]["uid"] == uid
    assert world.objects("second") == objects_of(ADA)
