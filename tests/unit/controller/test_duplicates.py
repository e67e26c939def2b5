"""Two documents, one e-mail: the first to take its name holds it; when it no longer counts, the other takes over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from kupyterhub_rules.names import base_name
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


ACTED: dict[str, dict[str, Any]] = {
    "who acted for longer": {
        "a": {"emailSince": timedelta(minutes=2)},
        "b": {"emailSince": timedelta(minutes=1)},
    },
    "the smaller id among equals": {
        "a": {"emailSince": timedelta(minutes=1)},
        "b": {"emailSince": timedelta(minutes=1)},
    },
    "who acted and not who waited": {
        "a": {"emailSince": timedelta(minutes=1)},
        "b": {"emailSince": timedelta(minutes=2), "phase": "Rejected", "reason": "DuplicateEmail"},
    },
    "who acted and not who is older": {"a": {"emailSince": timedelta(minutes=1)}, "b": {"emailSince": None}},
}


@pytest.mark.parametrize("order", ["ab", "ba"])
@pytest.mark.parametrize("before", ACTED.values(), ids=ACTED)
def test_where_no_claim_is_left_who_acted_before_holds(world: World, before: dict[str, Any], order: str) -> None:
    start = world.clock()
    for user in ("b", "a"):
        world.clock.move(seconds=1)
        acted = {"phase": "Provisioning", "email": ADA, "name": base_name(ADA), **before[user]}
        ago = acted["emailSince"]
        world.users.set(user, email=ADA, status={**acted, "emailSince": ago and start - ago})
    world.clock.move(hours=1)
    for user in order:
        world.look(user)
    world.deliver_bus()

    assert phases(world)["b"] == ("Rejected", "DuplicateEmail")
    assert world.users.claims() == {base_name(ADA): "a"}
    assert (world.objects("a"), world.objects("b")) == (objects_of(ADA), set())


def test_who_is_looked_at_first_holds_even_against_an_earlier_document(world: World) -> None:
    world.users.set("first", email=ADA)
    world.clock.move(seconds=1)
    world.enrol("second")

    world.look("first")
    world.deliver_bus()

    assert phases(world) == {"first": ("Rejected", "DuplicateEmail"), "second": ("Provisioning", "NoPod")}
    assert world.objects("second") == objects_of(ADA)
    assert world.status("first").emailSince is None


MIDDLES = {
    f"claim {base_name(ADA)}": "first",
    f"take {base_name(ADA)} second": "first",
    "create PersistentVolumeClaim *": "second",
    f"create Secret {NOTEBOOK}": "second",
    f"create Service {NOTEBOOK}": "second",
    "create Deployment agent-*": "second",
    f"create Deployment {NOTEBOOK}": "second",
}


@pytest.mark.parametrize(("request_", "holder"), MIDDLES.items())
def test_of_two_that_are_looked_at_together_the_first_to_take_the_name_holds(
    world: World, request_: str, holder: str
) -> None:
    for user in ("first", "second"):
        world.users.set(user, email=ADA)
        world.clock.move(seconds=1)
    for requests in (world.cluster.requests, world.users.requests):
        requests.before(request_, lambda: world.look("first"))

    world.look("second")
    world.deliver_bus()

    (other,) = {"first", "second"} - {holder}
    assert (phases(world)[holder][0], phases(world)[other]) == ("Provisioning", ("Rejected", "DuplicateEmail"))
    assert (world.objects(holder), world.objects(other)) == (objects_of(ADA), set())


def test_a_duplicate_names_the_present_holder_also_after_it_changed(world: World) -> None:
    two(world)
    world.enrol("third")
    world.deliver_bus()
    assert "'first'" in (world.status("second").message or "")
    assert "'first'" in (world.status("third").message or "")

    deleted(world)
    world.cluster.settle()
    world.deliver_bus()

    holder = world.users.claims()[base_name(ADA)]
    (waiting,) = {"second", "third"} - {holder}
    assert f"'{holder}'" in (world.status(waiting).message or "")
    assert phases(world)[waiting] == ("Rejected", "DuplicateEmail")


def test_a_document_and_a_claim_that_disagree_are_put_right(world: World) -> None:
    two(world)
    world.users.put_claim(base_name(ADA), "second")

    for _ in range(3):
        world.resync.run("all")
        world.deliver_bus()
        world.cluster.settle()
        world.clock.move(minutes=1)

    (holder,) = [user for user, (_, reason) in phases(world).items() if reason != "DuplicateEmail"]
    (other,) = {"first", "second"} - {holder}
    assert world.users.claims() == {base_name(ADA): holder}
    assert (world.objects(holder), world.objects(other)) == (objects_of(ADA), set())
    assert f"'{holder}'" in (world.status(other).message or "")


@pytest.mark.parametrize("lost", ["of the holder", "of somebody else", "of nobody"])
def test_a_claim_that_is_lost_or_wrong_is_made_again_and_nobody_restarts(world: World, lost: str) -> None:
    two(world)
    uid = world.cluster.get("Deployment", NOTEBOOK)["metadata"]["uid"]
    since = world.status("first").emailSince
    world.users.lose_claim(base_name(ADA))
    if lost != "of the holder":
        world.users.put_claim(base_name(ADA), "gone" if lost == "of somebody else" else "")

    world.resync.run("all")
    world.deliver_bus()

    assert world.users.claims() == {base_name(ADA): "first"}
    assert phases(world) == {"first": ("Ready", None), "second": ("Rejected", "DuplicateEmail")}
    assert world.cluster.get("Deployment", NOTEBOOK)["metadata"]["uid"] == uid
    # By it late `delete-user` messages are told from others.
    assert world.status("first").emailSince == since


@pytest.mark.parametrize("announced", [False, True], ids=["at once", "and announced in between"])
def test_two_are_never_ready_at_one_url_however_emails_are_swapped(world: World, *, announced: bool) -> None:
    a, b, c = (f"{user}@example.com" for user in "abc")
    for user, email in zip("abc", (a, b, c), strict=True):
        world.ready(user, email)
        world.clock.move(minutes=1)
    world.users.on_change.append(lambda _: never_two(world))
    world.users.set("b", email=a)
    world.users.set("c", email=b)
    world.look("c")
    if announced:
        world.look("b")
        world.clock.move(seconds=3)
        world.announce(user="c")
    world.users.set("b", email=b)
    world.look("b")
    world.deliver_bus()
    for user in "abc":
        world.look(user)

    now = phases(world)
    assert now["a"] == ("Ready", None)
    assert [now[user][1] == "DuplicateEmail" for user in "bc"].count(True) == 1
    holder = world.users.claims()[base_name(b)]
    assert now[holder][1] != "DuplicateEmail"
    assert world.objects(holder) == objects_of(b)
    world.cluster.settle()
    world.clock.move(seconds=3)
    for user in "abc":
        world.announce(user=user)
    never_two(world)
    assert world.status(holder).phase == "Ready"


def never_two(world: World) -> None:
    urls = [world.status(user).proxyUrl for user in world.users.ids() if world.status(user).phase == "Ready"]
    assert len(urls) == len(set(urls)), phases(world)


def test_an_unchanged_holder_asks_nobody(world: World) -> None:
    two(world)
    world.look("first")
    world.users.requests.clear()

    world.look("first")

    assert world.users.requests == ["get first", f"claim {base_name(ADA)}"]


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
    world.look("first", email=ADA)


@pytest.mark.parametrize("release", [deleted, expired, changed, malformed, removed], ids=lambda act: act.__name__)
def test_the_other_takes_over_when_the_holder_lets_go(world: World, release: Callable[[World], None]) -> None:
    two(world)

    release(world)
    assert world.bus.messages == ["second"]
    world.cluster.settle()
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
    world.cluster.settle()
    world.deliver_bus()
    world.clock.move(minutes=1)
    world.users.set("first", state="running")
    world.clock.move(seconds=1)

    world.look("first")
    world.deliver_bus()

    # What let go counts anew since it came back; the other has counted since before.
    assert phases(world) == {"first": ("Rejected", "DuplicateEmail"), "second": ("Provisioning", "NoPod")}
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
