"""Another e-mail is another person: other objects, other storage, and the old objects are gone before the claim."""

from typing import Any

import pytest

from kupyterhub.domain.errors import TransientError
from kupyterhub.domain.users import Status
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, objects_of

BOB = "bob@example.com"


def killed() -> None:
    raise TransientError("killed")


def test_the_old_objects_go_before_the_new_email_is_written(world: World) -> None:
    world.ready()
    world.users.set("ada", email=BOB)
    at_the_claim: list[tuple[Status, set[str]]] = []
    world.users.requests.before(
        f"take {base_name(BOB)} ada", lambda: at_the_claim.append((world.status(), world.objects()))
    )

    world.look()

    (status, objects), *_ = at_the_claim
    assert (status.email, status.name) == (ADA, base_name(ADA))
    assert objects == set()
    assert (world.status().email, world.status().name) == (BOB, base_name(BOB))


def test_both_keep_their_storage_and_only_the_new_one_runs(world: World) -> None:
    world.ready()
    world.users.set("ada", email=BOB)

    world.look()

    storage = {f"PersistentVolumeClaim home-{base_name(email)}" for email in (ADA, BOB)}
    assert world.cluster.everything() == storage | objects_of(BOB)


def test_what_was_of_the_other_person_is_forgotten(world: World) -> None:
    world.ready()
    document = world.users.set("ada", email=BOB)
    world.clock.move(seconds=1)

    world.look()

    status = world.status()
    assert (status.phase, status.proxyUrl) == ("Provisioning", None)
    assert status.emailSince == document.update_time
    assert status.startedAt is None
    started = world.clock()
    world.clock.move(seconds=9)
    world.look()
    assert world.status().startedAt == started


def test_an_announcement_of_the_other_person_is_not_kept(world: World) -> None:
    world.ready()
    world.users.set("ada", email=BOB)

    world.look()
    world.look()

    assert (world.status().agent, world.status().lastActivity) == (None, None)


def test_a_kill_before_the_claim_is_repaired(world: World) -> None:
    world.ready()
    world.users.set("ada", email=BOB)
    world.users.requests.before("take *", killed)
    with pytest.raises(TransientError):
        world.look()
    assert (world.status().email, world.users.claims()) == (ADA, {base_name(ADA): "ada"})

    world.look()

    assert objects_of(BOB) <= world.cluster.everything()
    assert not objects_of(ADA) & world.cluster.everything()


def test_other_spelling_is_the_same_person(world: World) -> None:
    world.ready()
    versions = world.cluster.versions()
    world.users.set("ada", email=" ADA@Example.COM ")

    world.look()

    assert world.cluster.versions() == versions
    assert (world.status().phase, world.status().email) == ("Ready", ADA)


def test_objects_are_found_without_the_name_in_the_status(world: World) -> None:
    world.ready()
    world.users.set("ada", email=BOB, status=None)

    world.look()

    assert world.objects() == objects_of(BOB)


def test_an_email_that_changes_together_with_a_typo_ends_the_old_persons_kernels(world: World) -> None:
    world.ready()
    fields: dict[str, Any] = {"email": BOB, "profile": "huge"}
    world.users.set("ada", **fields)

    world.look()

    assert world.objects() == set()
    assert (world.status().phase, world.status().reason) == ("Rejected", "UnknownProfile")
