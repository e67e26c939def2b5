"""Disks become bigger with their profile, and never smaller; what is on them stays."""

from fractions import Fraction

import pytest

from kupyterhub.domain.quantities import amount
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA

CLAIM = f"home-{base_name(ADA)}"


def size(world: World) -> str:
    claim = world.cluster.get("PersistentVolumeClaim", CLAIM)
    return str(claim["spec"]["resources"]["requests"]["storage"])


def settle_on(world: World, storage: str) -> None:
    """The settings give every disk of the profile `default` another size."""
    profile = world.settings.profiles["default"]
    changed = profile.model_copy(update={"storage": profile.storage.model_copy(update={"size": storage})})
    profiles = {**world.settings.profiles, "default": changed}
    world.settings = world.settings.model_copy(update={"profiles": profiles})


def test_a_running_notebooks_disk_grows_with_the_settings_and_without_a_restart(world: World) -> None:
    world.ready()
    before = world.cluster.get("Deployment", f"jupyterlab-{base_name(ADA)}")["metadata"]["generation"]
    settle_on(world, "20Gi")

    world.look()

    assert size(world) == "20Gi"
    assert world.cluster.get("Deployment", f"jupyterlab-{base_name(ADA)}")["metadata"]["generation"] == before
    world.cluster.requests.clear()
    world.look()
    assert world.cluster.requests.like("*PersistentVolumeClaim*") == []


@pytest.mark.parametrize("storage", ["1Gi", "10Gi", "10240Mi", "10G"])
def test_a_disk_never_becomes_smaller(world: World, storage: str) -> None:
    world.ready()
    settle_on(world, storage)

    world.look()

    assert size(world) == "10Gi"
    assert world.cluster.requests.like("resize *") == []


def test_a_disk_grows_with_another_profile_at_the_next_start(world: World) -> None:
    world.ready()
    world.users.set("ada", profile="big", state="stopped")
    world.look()
    world.cluster.settle()
    assert size(world) == "10Gi"

    world.users.set("ada", state="running")
    world.look()

    assert size(world) == "50Gi"


def test_a_disk_grows_with_the_restart_that_a_change_waits_for(world: World) -> None:
    world.ready()
    world.users.set("ada", profile="big")
    world.look()
    assert size(world) == "10Gi"

    world.users.set("ada", restart=True)
    world.look()

    assert size(world) == "50Gi"


def test_a_disk_that_cannot_grow_stays_and_its_notebook_starts(world: World) -> None:
    world.cluster.expandable = False
    world.ready()
    settle_on(world, "20Gi")

    world.look()

    assert size(world) == "10Gi"
    assert world.status().phase == "Ready"


@pytest.mark.parametrize(
    ("quantity", "number"),
    [
        ("7", 7),
        ("1.5", Fraction(3, 2)),
        ("500m", Fraction(1, 2)),
        ("2k", 2000),
        ("2Ki", 2048),
        ("1.5Gi", 3 * 2**29),
        ("1T", 10**12),
        ("1Ei", 2**60),
    ],
)
def test_quantities_are_numbers(quantity: str, number: Fraction) -> None:
    assert amount(quantity) == number
