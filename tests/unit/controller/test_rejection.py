"""A bad document is Rejected with a sentence that names the field and what is allowed; nobody's kernels end by it."""

from datetime import timedelta
from typing import Any

import pytest

from kupyterhub.domain.names import base_name
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

    world.look()

    status = world.status()
    assert (status.phase, status.reason) == ("Rejected", "EmailNotAllowed")
    assert (status.agent, status.startedAt, status.proxyUrl) == (None, None, None)
    assert world.cluster.everything() == {f"PersistentVolumeClaim home-{base_name(ADA)}"}


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
