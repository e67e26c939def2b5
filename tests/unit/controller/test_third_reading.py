"""What somebody found who ran each case of a review once more, and its neighbours."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kupyterhub.domain.errors import ClusterRefused, TransientError
from kupyterhub.domain.phases import LONGEST
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA

NAME = base_name(ADA)
NOTEBOOK = f"jupyterlab-{NAME}"
NEVER = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def compared(world: World) -> None:
    """An hour passes, and everybody is compared."""
    world.clock.move(hours=1)
    world.resync.run("all")
    world.deliver_bus()


def edit(world: World, user: str = "ada", **status: Any) -> None:
    world.users.set(user, status={**world.users.peek(user).fields["status"], **status})


def refusing(world: World, prefix: str) -> None:
    def refuse(request: str) -> None:
        if request.startswith(prefix):
            raise ClusterRefused("RightsMissing", "lacks the right")

    world.cluster.requests.always.append(refuse)


def _dies() -> None:
    raise TransientError("killed")


def gaps(world: World, looks: int) -> list[int]:
    """Look at each time that the status names; how many minutes apart these are."""
    found = []
    for _ in range(looks):
        soon = world.status().nextLookAt
        assert soon is not None
        found.append(round((soon - world.clock()).total_seconds() / 60))
        world.clock.now = soon
        world.look()
    return found


def test_a_restart_begins_the_maximum_age_anew(world: World) -> None:
    world.ready()
    world.clock.move(hours=20)
    world.users.set("ada", profile="big", restart=True)
    world.look()
    world.clock.move(seconds=30)
    world.cluster.settle()
    world.announce()
    assert world.status().phase == "Ready"
    assert world.users.peek("ada").wishes.state == "running"
    world.clock.move(hours=12)
    world.look()
    assert (world.status().phase, world.status().reason) == ("Stopped", "MaxAge")


def test_what_an_agent_says_of_before_a_restart_stops_nobody(world: World) -> None:
    world.ready()
    before = world.clock()
    world.clock.move(hours=5)
    world.users.set("ada", restart=True)
    world.look()
    world.clock.move(seconds=30)
    world.cluster.settle()
    world.announce("idle", registered_at=before, last_activity=before)
    assert world.users.peek("ada").wishes.state == "running"


@pytest.mark.parametrize("restarts", range(6))
def test_who_fails_is_tried_ever_more_seldom_however_much_happened_before(world: World, restarts: int) -> None:
    world.ready()
    for _ in range(restarts):
        world.clock.move(minutes=1)
        world.users.set("ada", restart=True)
        world.look()
        world.clock.move(seconds=20)
        world.cluster.settle()
        world.announce()
    world.clock.move(minutes=1)
    world.users.set("ada", restart=True)
    world.look()
    while world.status().phase != "Failed":
        world.clock.move(minutes=1)
        world.look()
    assert gaps(world, 8) == [1, 2, 4, 8, 16, 32, 60, 60]


def test_who_waits_for_a_pod_that_does_not_end_stays_failed(world: World) -> None:
    world.ready()
    notebook = world.cluster.read_notebook(NAME)
    assert notebook is not None
    world.cluster.delete(notebook)
    phases = []
    for _ in range(90):
        world.clock.move(minutes=1)
        world.look()
        phases.append(world.status().phase)
    late = phases.index("Failed")
    assert set(phases[late:]) == {"Failed"}
    assert world.status().reason == "Ending"
    world.cluster.settle()
    world.look()
    assert world.status().phase == "Provisioning"


@pytest.mark.parametrize("how", [{"state": "deleted"}, {"state": "stopped"}, {"expiresAt": timedelta(minutes=5)}])
def test_a_removal_that_is_refused_is_tried_ever_more_seldom(world: World, how: dict[str, Any]) -> None:
    world.ready()
    refusing(world, "delete")
    ends = {key: world.clock() + value if isinstance(value, timedelta) else value for key, value in how.items()}
    world.users.set("ada", **ends)
    world.look()
    asked = 0
    for _ in range(70):
        world.clock.move(minutes=1)
        world.resync.run("due")
        asked += len(world.bus.messages)
        world.deliver_bus()
    assert asked <= 8


@pytest.mark.parametrize("thoroughly", [False, True])
def test_a_listing_that_is_refused_is_said(world: World, *, thoroughly: bool) -> None:
    refusing(world, "list Secret")
    world.users.set("ada", email=ADA)
    world.users.set("ada", displayName="Ada")
    world.look(thoroughly=thoroughly)
    assert (world.status().phase, world.status().reason) == ("Failed", "RightsMissing")


def no_other_than(world: World) -> None:
    world.settings = world.settings.model_copy(update={"allowed_emails": ("*@exmaple.com",)})


def restart(world: World) -> None:
    world.users.set("u1", restart=True)


def rename(world: World) -> None:
    world.users.set("u1", displayName="Zaphod")


def lose_claim(world: World) -> None:
    world.users.lose_claim(base_name("u1@example.com"))


def drop_service(world: World) -> None:
    world.cluster.drop("Service", f"jupyterlab-{base_name('u1@example.com')}")


@pytest.mark.parametrize("lost", [restart, rename, lose_claim, drop_service])
def test_who_is_held_back_is_proven_all_the_same(world: World, lost: Callable[[World], None]) -> None:
    for number in range(8):
        world.ready(f"u{number}", email=f"u{number}@example.com")
    no_other_than(world)
    compared(world)
    lost(world)
    compared(world)
    compared(world)
    user = world.users.peek("u1")
    assert not user.wishes.restart
    assert user.status.terms
    assert "zap" in user.status.terms or lost is not rename
    name = base_name("u1@example.com")
    assert world.users.claims()[name] == "u1"
    assert world.cluster.get("Service", f"jupyterlab-{name}")
    assert user.status.phase != "Rejected"


def test_who_has_just_started_counts_among_those_whom_a_mistyped_rule_would_stop(world: World) -> None:
    for number in range(3):
        world.ready(f"r{number}", email=f"r{number}@example.com")
    for number in range(20):
        world.enrol(f"u{number}", email=f"u{number}@example.com")
    world.clock.move(seconds=5)
    world.cluster.settle()
    no_other_than(world)
    world.resync.run("all")
    world.deliver_bus()
    assert not [user for user in world.users.ids() if world.status(user).phase == "Rejected"]


@pytest.mark.parametrize("at", [NEVER, datetime(1, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC)])
@pytest.mark.parametrize("phase", ["Provisioning", "Failed"])
def test_times_that_no_clock_has_written_end_no_look(world: World, phase: str, at: datetime) -> None:
    world.ready()
    edit(world, phase=phase, changes=[{"phase": phase, "at": at}])
    notebook = world.cluster.read_notebook(NAME)
    assert notebook is not None
    world.cluster.delete(notebook)
    world.look()
    world.users.set("ada", state="stopped")
    world.look()
    assert world.status().phase == "Stopped"


@pytest.mark.parametrize("soon", [datetime(9990, 1, 1, tzinfo=UTC), None])
@pytest.mark.parametrize("failed", [False, True])
def test_a_next_look_that_somebody_has_moved_comes_all_the_same(
    world: World, *, failed: bool, soon: datetime | None
) -> None:
    world.enrol()
    if failed:
        world.clock.move(minutes=11)
        world.look()
    edit(world, nextLookAt=soon)
    world.resync.run("all")
    world.deliver_bus()
    found = world.status().nextLookAt
    assert found is not None
    assert found <= world.clock() + LONGEST


EDITS: list[dict[str, Any]] = [
    *({"phase": phase} for phase in ("Stopped", "Failed", "Deleted", "Rejected", None, 5)),
    *({"proxyUrl": url} for url in ("http://evil.example/", None)),
    {"name": base_name("eve@example.com")},
    {"startedAt": None},
]


@pytest.mark.parametrize("edited", EDITS, ids=str)
def test_a_status_that_somebody_has_edited_is_put_right_by_the_next_comparison(
    world: World, edited: dict[str, Any]
) -> None:
    world.ready()
    before = world.status()
    started = world.cluster.get("Deployment", NOTEBOOK)["spec"]
    edit(world, **edited)
    compared(world)
    after = world.status()
    assert (after.phase, after.proxyUrl, after.name, after.email, after.startedAt) == (
        before.phase,
        before.proxyUrl,
        before.name,
        before.email,
        before.startedAt,
    )
    assert world.cluster.get("Deployment", NOTEBOOK)["spec"] == started
    world.clock.move(hours=1)
    world.resync.run("all")
    assert world.bus.messages == []


def test_whose_email_somebody_has_edited_in_the_status_has_their_own_again(world: World) -> None:
    world.ready()
    started = world.cluster.get("Deployment", NOTEBOOK)["spec"]
    edit(world, email="eve@example.com")
    world.resync.run("all")
    world.deliver_bus()
    world.announce()
    assert (world.status().email, world.status().name, world.status().phase) == (ADA, NAME, "Ready")
    assert world.cluster.get("Deployment", NOTEBOOK)["spec"] == started


def test_who_takes_a_name_over_takes_up_what_was_left_running_under_it(world: World) -> None:
    world.ready()
    started = world.cluster.get("Deployment", NOTEBOOK)["spec"]["template"]
    world.users.set("ada", email="nope")
    world.look()
    assert (world.status().message or "").endswith("What runs is left running.")
    world.enrol("b", email=ADA)
    assert world.status("b").reason != "Ending"
    assert world.cluster.get("Deployment", NOTEBOOK)["spec"]["template"] == started
    world.deliver_bus()
    assert "left running" not in (world.status().message or "")


@pytest.mark.parametrize("killed", [False, True])
def test_who_takes_a_name_over_has_all_of_it_also_while_a_change_waits(world: World, *, killed: bool) -> None:
    """The Secret with the token that waits: it stays as it is, and nobody else's end takes it away."""
    world.ready()
    token = world.cluster.get("Secret", NOTEBOOK)["data"]
    world.master_secret = b"f" * 32
    world.look()
    world.users.set("ada", email="nope")
    if killed:
        world.cluster.requests.before(f"annotate Secret {NOTEBOOK}", _dies)
        with pytest.raises(TransientError):
            world.enrol("b", email=ADA)
        world.look("b")
        world.announce(user="b")
        compared(world)
    else:
        world.enrol("b", email=ADA)
    world.deliver_bus()
    world.users.remove("ada")
    world.look()

    assert world.objects("b") >= {f"{kind} {NOTEBOOK}" for kind in ("Deployment", "Secret", "Service")}
    assert world.cluster.get("Secret", NOTEBOOK)["data"] == token
    world.announce(user="b")
    world.clock.move(hours=1)
    world.resync.run("all")
    assert world.bus.take() == []


def test_a_delete_user_of_before_somebody_was_enrolled_again_under_the_same_id_deletes_nobody(world: World) -> None:
    """Nobody had looked at the document since the former one of that id was removed."""
    world.ready()
    world.clock.move(minutes=5)
    world.users.remove("ada")
    world.clock.move(minutes=1)
    published = world.clock()
    world.clock.move(minutes=1)
    world.users.set("ada", state="running")
    world.users.set("ada", email="Ada@Example.com")
    world.look(thoroughly=True)
    world.delete_user(user="ada", published=published)
    assert world.users.peek("ada").wishes.state == "running"


def test_whoever_moves_to_an_email_whose_claim_was_lost_is_not_older_there_than_who_runs_with_it(
    world: World,
) -> None:
    world.ready()
    world.clock.move(minutes=1)
    world.ready("bob", email="bob@example.com")
    name = base_name("bob@example.com")
    running = world.cluster.get("Deployment", f"jupyterlab-{name}")
    world.users.lose_claim(name)
    world.users.set("ada", email="bob@example.com")
    world.look()
    world.deliver_bus()
    assert world.users.claims()[name] == "bob"
    assert world.status().reason == "DuplicateEmail"
    assert world.cluster.get("Deployment", f"jupyterlab-{name}")["metadata"]["uid"] == running["metadata"]["uid"]
