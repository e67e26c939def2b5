"""A bad document is Rejected with a sentence that names the field and what is allowed; nobody's kernels end by it."""

from datetime import timedelta
from typing import Any

import pytest

from kupyterhub.domain.settings import Settings
from kupyterhub.reconcile import Outcome
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, objects_of

LONG = "x" * 100_000
BAD = {
    "no e-mail": ({"email": None}, "EmailMissing", ["email", "ada@example.com"]),
    "empty e-mail": ({"email": ""}, "EmailMissing", ["email"]),
    "e-mail of a wrong type": ({"email": 7}, "InvalidField", ["email", "text"]),
    "malformed e-mail": ({"email": "ada at example.com"}, "EmailMalformed", ["email", "ada@example.com", "254"]),
    "e-mail not in ASCII": ({"email": "adä@example.com"}, "EmailMalformed", ["email", "ASCII"]),
    "e-mail of 255 characters": ({"email": "a" * 243 + "@example.com"}, "EmailMalformed", ["email", "254"]),
    "e-mail of 100 KB": ({"email": LONG + "@example.com"}, "EmailMalformed", ["email", "254"]),
    "e-mail not allowed": ({"email": "eve@evil.org"}, "EmailNotAllowed", ["email", "*@example.com"]),
    "unknown profile": ({"profile": "huge"}, "UnknownProfile", ["profile", "'huge'", "big, default"]),
    "profile of 100 KB": ({"profile": LONG}, "UnknownProfile", ["profile", "big, default"]),
    "profile of a wrong type": ({"profile": ["big"]}, "InvalidField", ["profile", "text", "a list"]),
    "unknown state": ({"state": "paused"}, "InvalidField", ["state", "running, stopped, deleted"]),
    "state of 100 KB": ({"state": LONG}, "InvalidField", ["state", "running, stopped, deleted"]),
    "state of a wrong type": ({"state": 1}, "InvalidField", ["state", "text", "a number"]),
    "image where none may be chosen": ({"image": "evil:1"}, "ImageNotAllowed", ["image", "leave the field out"]),
    "image not allowed": (
        {"profile": "big", "image": "evil:1"},
        "ImageNotAllowed",
        ["image", "registry.example/big:1, registry.example/big:2"],
    ),
    "image of 100 KB": ({"profile": "big", "image": LONG}, "ImageNotAllowed", ["image", "registry.example/big:1"]),
    "image of a wrong type": ({"image": {}}, "InvalidField", ["image", "text", "a map"]),
    "displayName of 100 KB": ({"displayName": LONG}, "InvalidField", ["displayName", "200"]),
    "displayName of 201": ({"displayName": "x" * 201}, "InvalidField", ["displayName", "201", "200"]),
    "displayName of a wrong type": ({"displayName": 1.5}, "InvalidField", ["displayName", "text"]),
    "expiresAt of a wrong type": ({"expiresAt": "tomorrow"}, "InvalidField", ["expiresAt", "timestamp"]),
    "expiresAt of 100 KB": ({"expiresAt": LONG}, "InvalidField", ["expiresAt", "timestamp"]),
    "restart of a wrong type": ({"restart": "yes"}, "InvalidField", ["restart", "true or false"]),
    "purge of a wrong type": ({"purge": LONG}, "InvalidField", ["purge", "true or false"]),
    "purge beside running": ({"purge": True}, "PurgeWhileRunning", ["purge", "deleted"]),
}
CONTENT = {word: case for word, case in BAD.items() if case[1] != "EmailNotAllowed"}
bad = pytest.mark.parametrize(("fields", "reason", "said"), BAD.values(), ids=BAD)
content = pytest.mark.parametrize(("fields", "reason", "said"), CONTENT.values(), ids=CONTENT)


@bad
def test_a_bad_new_document_is_rejected_and_nothing_is_made(
    world: World, fields: dict[str, Any], reason: str, said: list[str]
) -> None:
    world.enrol(**{"email": ADA, **fields})

    status = world.status()
    assert (status.phase, status.reason) == ("Rejected", reason)
    assert [word for word in said if word not in (status.message or "")] == []
    assert len(status.message or "") < 600
    assert world.cluster.everything() == set()
    assert status.nextLookAt is None
    assert status.observed == world.users.peek("ada").observed


@content
def test_what_runs_is_left_running_by_a_typo(
    world: World, fields: dict[str, Any], reason: str, said: list[str]
) -> None:
    world.ready()
    versions = world.cluster.versions()
    world.users.set("ada", **fields)

    world.look()

    assert (world.status().phase, world.status().reason) == ("Rejected", reason)
    assert "left running" in (world.status().message or "")
    assert len(world.status().message or "") < 600
    assert world.cluster.versions() == versions
    assert world.status().startedAt is not None
    assert world.status().agent is not None
    assert world.status().proxyUrl is None


def test_a_look_at_a_rejected_user_changes_nothing(world: World) -> None:
    world.ready()
    world.users.set("ada", profile="huge")
    world.look()
    before = world.users.peek("ada")

    assert world.look().note == "unchanged"
    assert world.users.peek("ada") == before


def test_a_mended_document_is_ready_again_without_a_restart(world: World) -> None:
    world.ready()
    name = f"jupyterlab-{base_name(ADA)}"
    started = world.cluster.get("Deployment", name)["metadata"]["uid"]
    world.users.set("ada", profile="huge")
    world.look()
    world.users.set("ada", profile=None)

    world.look()

    assert world.status().phase == "Ready"
    assert world.cluster.get("Deployment", name)["metadata"]["uid"] == started


def test_an_email_that_is_mended_runs_on_as_the_same_person(world: World) -> None:
    world.ready()
    versions = world.cluster.versions()
    world.users.set("ada", email="ada@@example.com")
    world.look()
    world.users.set("ada", email=ADA)
    world.look()

    assert world.status().phase == "Ready"
    assert world.cluster.versions() == versions


def test_who_is_no_longer_allowed_no_longer_runs(world: World) -> None:
    world.ready()
    world.settings = world.settings.model_copy(update={"allowed_emails": ("*@example.org",)})

    deployed(world)

    status = world.status()
    assert (status.phase, status.reason) == ("Rejected", "EmailNotAllowed")
    assert (status.agent, status.startedAt, status.proxyUrl) == (None, None, None)
    assert world.cluster.everything() == {f"PersistentVolumeClaim home-{base_name(ADA)}"}


def deployed(world: World) -> Outcome:
    """A deploy of settings ends by publishing `resync` with the mode `all`."""
    outcome, *_ = world.resync.run("all")
    world.deliver_bus()
    return outcome


def people(world: World, count: int) -> list[str]:
    """Some people of two organisations: every fourth of them is of `example.org`."""
    world.settings = with_allowed(world, "*@example.com", "*@example.org")
    users = [f"p{number}" for number in range(count)]
    for number, user in enumerate(users):
        world.ready(user, email=f"{user}@example.{'com' if number % 4 else 'org'}")
    world.deliver_bus()
    return users


def with_allowed(world: World, *patterns: str, **limits: float) -> Settings:
    tree = {"allowed_emails": patterns, "limits": world.settings.limits.model_copy(update=limits)}
    return world.settings.model_copy(update=tree)


def stopped(world: World) -> list[str]:
    return [user for user in world.users.ids() if world.status(user).phase == "Rejected"]


def test_settings_that_would_stop_many_stop_nobody_until_somebody_says_that_it_is_meant(world: World) -> None:
    users = people(world, 24)
    versions = world.cluster.versions()
    world.settings = with_allowed(world, "*@example.com")

    # Whether a resync or an event comes first.
    early = world.look(users[0])
    outcome = deployed(world)

    assert (early.phase, early.reason) == ("Ready", "PolicyHeld")
    assert outcome.reason == "PolicyHeld"
    assert "6 of 24" in outcome.note
    assert "allowedEmails" in outcome.note
    world.announce(user=users[0], last_activity=world.clock.move(hours=1))
    world.look(users[4], thoroughly=True)
    assert deployed(world).reason == "PolicyHeld"
    assert (stopped(world), world.cluster.versions()) == ([], versions)

    world.settings = with_allowed(world, "*@example.com", stopped_by_settings=1.0)
    assert deployed(world).reason is None
    assert sorted(stopped(world)) == sorted(users[::4])
    assert len(world.cluster.names("Service")) == 18


def test_who_is_held_back_is_announced_and_stopped_when_idle_as_before(world: World) -> None:
    users = people(world, 24)
    registered = world.clock.move(minutes=1)
    world.settings = with_allowed(world, "*@example.com")
    deployed(world)

    world.announce(user=users[0], instance="pod-2", registered_at=registered, last_activity=registered)
    agent = world.status(users[0]).agent
    assert agent is not None
    assert agent.instance == "pod-2"
    world.clock.move(hours=2)
    said: dict[str, Any] = {"instance": "pod-2", "registered_at": registered, "last_activity": registered}
    world.announce("idle", user=users[0], **said)

    assert world.users.peek(users[0]).fields.get("state") == "stopped"


def test_mended_settings_let_everybody_be_looked_at_again(world: World) -> None:
    people(world, 24)
    before = world.settings
    world.settings = with_allowed(world, "*@exampel.com")
    assert deployed(world).reason == "PolicyHeld"
    assert stopped(world) == []
    world.settings = before

    assert deployed(world).reason is None
    assert world.bus.messages == []
    assert stopped(world) == []


@pytest.mark.parametrize(("count", "held"), [(20, False), (21, True), (40, True)], ids=str)
def test_settings_that_stop_five_or_fewer_do_so_at_once(world: World, count: int, *, held: bool) -> None:
    users = people(world, count)
    world.settings = with_allowed(world, "*@example.com")

    outcome = deployed(world)

    assert (outcome.reason == "PolicyHeld") is held
    assert sorted(stopped(world)) == ([] if held else sorted(users[::4]))


def test_somebody_whose_own_document_changed_is_judged_by_new_settings_at_once(world: World) -> None:
    users = people(world, 24)
    world.settings = with_allowed(world, "*@example.com")
    deployed(world)
    world.users.set(users[0], state="stopped")
    world.users.set(users[4], email="eve@evil.org")
    world.enrol("new", "new@example.org")
    for user in (users[0], users[4]):
        world.look(user)

    assert [world.status(user).phase for user in (users[0], users[4], "new")] == ["Stopped", "Rejected", "Rejected"]


def test_who_is_allowed_again_runs_again(world: World) -> None:
    allowed = world.settings
    world.settings = allowed.model_copy(update={"allowed_emails": ("*@example.org",)})
    world.enrol()
    world.settings = allowed
    world.look()

    assert world.status().phase == "Provisioning"
    assert objects_of(ADA) <= world.cluster.everything()


def test_many_allowed_people_are_not_all_quoted(world: World) -> None:
    many = tuple(f"somebody-with-a-long-name-{number}@example.com" for number in range(500))
    world.settings = world.settings.model_copy(update={"allowed_emails": many})

    world.enrol(email="eve@evil.org")

    assert world.status().reason == "EmailNotAllowed"
    assert len(world.status().message or "") < 600


def test_many_profiles_and_images_are_not_all_quoted(world: World) -> None:
    big = world.settings.profiles["big"]
    images = tuple(f"registry.example/with/a/long/path/to/image-{number}:1" for number in range(100))
    profiles = {f"profile-with-a-long-name-{number}": big for number in range(100)}
    crowded = {"default": big.model_copy(update={"images": images}), **profiles}
    world.settings = world.settings.model_copy(update={"profiles": crowded})

    world.enrol(profile="huge")
    world.enrol("bob", email="bob@example.com", image="evil:1")

    assert (world.status().reason, world.status("bob").reason) == ("UnknownProfile", "ImageNotAllowed")
    assert max(len(world.status(user).message or "") for user in ("ada", "bob")) < 600


@pytest.mark.parametrize("thoroughly", [False, True], ids=["a look", "a thorough look"])
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"email": "ada at example.com"}, "EmailMalformed"),
        ({"email": None}, "EmailMissing"),
        ({}, "EmailMissing"),
        ({"email": 7}, "InvalidField"),
        ({"email": ADA, "profile": "huge"}, "UnknownProfile"),
        ({"email": ADA, "status": None, "image": "evil:1"}, "ImageNotAllowed"),
    ],
    ids=str,
)
def test_a_document_that_is_overwritten_whole_with_a_typo_loses_no_object(
    world: World, fields: dict[str, Any], reason: str, *, thoroughly: bool
) -> None:
    world.ready()
    versions = world.cluster.versions()
    world.users.overwrite("ada", **fields)

    world.look(thoroughly=thoroughly)
    world.resync.run("all")
    world.deliver_bus()

    assert (world.status().phase, world.status().reason) == ("Rejected", reason)
    assert "left running" in (world.status().message or "")
    assert (world.cluster.versions(), world.objects()) == (versions, objects_of(ADA))
    assert world.status().startedAt is not None
    world.users.overwrite("ada", email=ADA)
    world.look()
    assert (world.status().phase, world.cluster.versions()) == ("Ready", versions)


@pytest.mark.parametrize("available", [True, False], ids=["and its agent is", "but its agent is not"])
def test_a_document_that_is_overwritten_whole_stays_ready_where_all_is_available(
    world: World, *, available: bool
) -> None:
    world.ready()
    before, versions = world.status(), world.cluster.versions()
    world.clock.move(minutes=5)
    if not available:
        world.cluster.available(f"agent-{base_name(ADA)}", status="False")
        versions = world.cluster.versions()
    world.users.overwrite("ada", email=ADA)

    world.look()

    after = world.status()
    assert world.cluster.versions() == versions
    assert (after.phase, after.proxyUrl) == (("Ready", before.proxyUrl) if available else ("Provisioning", None))
    assert (after.startedAt, after.name, after.email) == (before.startedAt, before.name, before.email)
    assert world.users.claims() == {base_name(ADA): "ada"}
    world.announce(last_activity=world.clock())
    assert (world.status().phase, world.status().proxyUrl) == ("Ready", before.proxyUrl)


@pytest.mark.parametrize("state", ["stopped", "deleted"])
def test_a_document_that_is_overwritten_whole_can_end_what_runs(world: World, state: str) -> None:
    world.ready()
    world.users.overwrite("ada", email="no e-mail", state=state)

    world.look()

    assert (world.status().phase, world.objects()) == (state.capitalize(), set())


WRONG: dict[str, Any] = {"profile": "huge", "displayName": 7}


@pytest.mark.parametrize(
    "email", [ADA, "eve@evil.org", "no e-mail", None], ids=["good", "not allowed", "bad", "none"]
)
@pytest.mark.parametrize(
    ("fields", "phase"),
    [
        ({"state": "stopped"}, "Stopped"),
        ({"state": "deleted"}, "Deleted"),
        ({"expiresAt": "past"}, "Deleted"),
        ({"state": "stopped", "expiresAt": "past"}, "Deleted"),
    ],
    ids=["stopped", "deleted", "expired", "stopped and expired"],
)
def test_stopping_and_deleting_work_with_any_other_error(
    world: World, email: str | None, fields: dict[str, Any], phase: str
) -> None:
    world.ready()
    if "expiresAt" in fields:
        fields = {**fields, "expiresAt": world.clock() - timedelta(seconds=1)}
    world.users.set("ada", **WRONG, **fields, email=email)

    world.look()

    assert world.status().phase == phase
    assert world.objects() == set()


@pytest.mark.parametrize(
    ("email", "reason"),
    [("no e-mail", "EmailMalformed"), ("eve@evil.org", "EmailNotAllowed"), (ADA, "InvalidField")],
    ids=["e-mail first", "then policy", "then content"],
)
def test_the_order_of_judgement(world: World, email: str, reason: str) -> None:
    world.enrol(email=email, **WRONG)

    assert world.status().reason == reason
