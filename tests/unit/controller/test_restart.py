"""A running notebook is never restarted by a change; `restart: true` restarts it once."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from kupyterhub.domain.errors import TransientError
from kupyterhub.domain.phases import WAITS
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA

NAME = base_name(ADA)
NOTEBOOK = f"jupyterlab-{NAME}"


def change_profile(world: World) -> None:
    world.users.set("ada", profile="big")


def change_image(world: World) -> None:
    world.users.set("ada", profile="big", image="registry.example/big:2")


def change_settings(world: World) -> None:
    images = world.settings.images.model_copy(update={"jupyterlab": "registry.example/jupyterlab:2"})
    world.settings = world.settings.model_copy(update={"images": images})


def change_master_secret(world: World) -> None:
    world.master_secret = b"f" * 32


CHANGES = [change_profile, change_image, change_settings, change_master_secret]
changed = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.replace("_", " "))


def notebook(world: World) -> dict[str, Any]:
    return world.cluster.get("Deployment", NOTEBOOK)


def secret(world: World) -> dict[str, Any]:
    return world.cluster.get("Secret", NOTEBOOK)


@changed
def test_a_change_waits_for_the_next_start(world: World, change: Callable[[World], None]) -> None:
    world.ready()
    before = notebook(world), secret(world)
    change(world)
    world.cluster.requests.clear()

    world.look()

    assert (notebook(world), secret(world)) == before
    assert world.cluster.requests == [f"read Deployment {NOTEBOOK}"]
    assert world.status().phase == "Ready"
    assert "A change waits for the next start" in (world.status().message or "")


@changed
def test_a_change_waits_for_a_thorough_look_as_well(world: World, change: Callable[[World], None]) -> None:
    world.ready()
    before = notebook(world)["spec"], secret(world)["data"]
    change(world)

    world.look(thoroughly=True)
    world.look(thoroughly=True)

    assert (notebook(world)["spec"], secret(world)["data"]) == before
    assert "A change waits for the next start" in (world.status().message or "")


@changed
def test_restart_takes_the_change(world: World, change: Callable[[World], None]) -> None:
    world.ready()
    generation = notebook(world)["metadata"]["generation"]
    change(world)
    world.look()
    now = world.clock.move(minutes=1)
    world.users.set("ada", restart=True)

    world.look()

    assert notebook(world)["metadata"]["generation"] == generation + 1
    assert "restart" not in world.users.peek("ada").fields
    assert world.status().restartedAt == now
    assert world.status().phase == "Provisioning"


@changed
def test_a_stop_and_a_start_take_the_change(world: World, change: Callable[[World], None]) -> None:
    world.ready()
    before = notebook(world)["spec"]
    change(world)
    world.users.set("ada", state="stopped")
    world.look()
    world.cluster.settle()
    world.users.set("ada", state=None)
    world.look()

    assert notebook(world)["spec"] != before
    assert world.status().reason == "NoPod"


def test_a_change_that_is_taken_back_waits_no_more(world: World) -> None:
    world.ready()
    world.users.set("ada", profile="big")
    world.look()
    world.users.set("ada", profile=None)
    world.look()

    assert world.status().message is None


def test_restart_acts_when_nothing_waits(world: World) -> None:
    world.ready()
    generation = notebook(world)["metadata"]["generation"]
    now = world.clock.move(minutes=1)
    world.users.set("ada", restart=True)

    world.look()

    template = notebook(world)["spec"]["template"]["metadata"]["annotations"]
    assert notebook(world)["metadata"]["generation"] == generation + 1
    assert template["kupyterhub/restarted-at"] == now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_restart_acts_once(world: World) -> None:
    world.ready()
    world.users.set("ada", restart=True)
    world.clock.move(minutes=1)
    world.look()
    once = notebook(world)
    world.clock.move(minutes=1)
    world.look()
    world.look()

    assert notebook(world) == once


@pytest.mark.parametrize(
    "request_", [f"read Secret {NOTEBOOK}", f"apply Secret {NOTEBOOK}", f"apply Deployment {NOTEBOOK}"]
)
def test_restart_acts_once_after_a_kill_before_it_was_applied(world: World, request_: str) -> None:
    world.ready()
    generation = notebook(world)["metadata"]["generation"]
    world.users.set("ada", restart=True, profile="big")
    world.master_secret = b"f" * 32
    world.clock.move(minutes=1)
    world.cluster.requests.before(request_, killed)
    with pytest.raises(TransientError):
        world.look()
    assert "restart" not in world.users.peek("ada").fields
    assert notebook(world)["metadata"]["generation"] == generation

    world.look()
    world.look()

    assert notebook(world)["metadata"]["generation"] == generation + 1
    assert notebook(world)["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/big:1"


def test_a_change_after_a_restart_waits_again(world: World) -> None:
    world.ready()
    world.users.set("ada", restart=True)
    world.clock.move(minutes=1)
    world.look()
    once = notebook(world)
    world.users.set("ada", profile="big")
    world.look()

    assert notebook(world) == once


def test_after_a_restart_only_an_announcement_of_this_start_makes_ready(world: World) -> None:
    world.ready()
    old = world.clock()
    world.users.set("ada", restart=True)
    world.clock.move(minutes=1)
    world.look()
    world.clock.move(seconds=5)

    world.announce(registered_at=old, last_activity=world.clock())
    assert world.status().phase == "Provisioning"

    world.announce()
    assert world.status().phase == "Ready"


def test_a_restart_begins_the_wait_anew(world: World) -> None:
    world.ready()
    world.clock.move(hours=30)
    world.users.set("ada", restart=True)

    world.look()

    assert world.status().phase == "Provisioning"


def test_agents_change_at_once(world: World) -> None:
    world.ready()
    images = world.settings.images.model_copy(update={"agent": "registry.example/agent:2"})
    world.settings = world.settings.model_copy(update={"images": images})

    world.look()

    containers = world.cluster.get("Deployment", f"agent-{NAME}")["spec"]["template"]["spec"]["containers"]
    assert [container["image"] for container in containers] == ["registry.example/agent:2"]


def test_another_document_with_the_same_email_restarts_nothing(world: World) -> None:
    world.ready()
    before = notebook(world)["spec"], notebook(world)["metadata"]["uid"]
    world.users.remove("ada")
    world.enrol("new")
    world.look("ada", email=ADA)
    world.deliver_bus()
    world.look("new", thoroughly=True)

    assert (notebook(world)["spec"], notebook(world)["metadata"]["uid"]) == before
    assert world.objects("new") >= {f"Deployment {NOTEBOOK}"}


@pytest.mark.parametrize("profile", ["default", "big"])
@pytest.mark.parametrize("imported", [True, False], ids=["imported", "with another e-mail before"])
def test_who_takes_over_with_an_older_restart_restarts_nothing(world: World, profile: str, *, imported: bool) -> None:
    if imported:
        world.users.set("new", email=ADA, profile=profile, status={"restartedAt": world.clock(), "email": ADA})
        world.clock.move(minutes=1)
        world.users.set("new", form=1)
    else:
        world.ready("new", "other@example.com", profile=profile)
        world.users.set("new", restart=True)
        world.look("new")
    restarted = world.status("new").restartedAt
    assert restarted is not None
    world.clock.move(hours=1)
    world.ready()
    world.clock.move(hours=1)
    before = notebook(world)["spec"], notebook(world)["metadata"]["uid"]
    world.users.set("ada", email="no e-mail")
    world.users.set("new", email=ADA)
    for user in ("ada", "new", "new"):
        world.look(user)
    world.deliver_bus()

    assert world.users.claims()[NAME] == "new"
    assert (notebook(world)["spec"], notebook(world)["metadata"]["uid"]) == before
    assert world.status("new").restartedAt == restarted
    now = world.clock.move(minutes=1)
    world.users.set("new", restart=True)
    world.look("new")
    mark = notebook(world)["spec"]["template"]["metadata"]["annotations"].get("kupyterhub/restarted-at")
    assert mark == now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_restart_that_comes_with_the_email_is_not_lost_to_a_clock_that_is_behind(world: World) -> None:
    world.ready()
    world.clock.move(hours=1)
    world.users.remove("ada")
    world.users.set("new", email=ADA, restart=True)
    world.clock.move(seconds=-0.005)

    world.look("new")

    assert "restart" not in world.users.peek("new").fields
    assert "kupyterhub/restarted-at" in notebook(world)["spec"]["template"]["metadata"]["annotations"]


def test_restart_of_a_rejected_document_waits_for_the_mending(world: World) -> None:
    world.ready()
    before = notebook(world)
    world.users.set("ada", profile="huge", restart=True)
    world.look()
    assert notebook(world) == before

    world.users.set("ada", profile=None)
    world.clock.move(seconds=1)
    world.look()

    assert notebook(world)["metadata"]["generation"] == before["metadata"]["generation"] + 1


def killed() -> None:
    raise TransientError("killed")


def _others_change(world: World) -> None:
    world.cluster.change("Secret", NOTEBOOK, {"data": {"token": "MA=="}})


def _others_say_whose_it_is(world: World) -> None:
    whose = {"kupyterhub/user": "eve", "kupyterhub/email": "eve@elsewhere.org"}
    world.cluster.change("Service", NOTEBOOK, {"metadata": {"annotations": whose}})


def _others_say_what_was_applied(world: World) -> None:
    world.cluster.change("Deployment", NOTEBOOK, {"metadata": {"annotations": {"kupyterhub/applied": ""}}})


def _others_take_away(world: World) -> None:
    world.cluster.drop("Secret", NOTEBOOK)


@changed
@pytest.mark.parametrize(
    "harm", [_others_change, _others_say_whose_it_is, _others_say_what_was_applied, _others_take_away]
)
def test_what_others_harmed_is_put_right_while_a_change_waits(
    world: World, change: Callable[[World], None], harm: Callable[[World], None]
) -> None:
    world.ready()
    change(world)
    world.look()
    running = notebook(world)["spec"]
    service = world.cluster.get("Service", NOTEBOOK)["metadata"]["annotations"]
    applied = set(notebook(world)["metadata"]["annotations"]["kupyterhub/applied"].split(","))
    harm(world)

    world.resync.run("all")
    world.deliver_bus()

    assert secret(world)["data"]["token"] != "MA=="  # noqa: S105
    assert world.cluster.get("Service", NOTEBOOK)["metadata"]["annotations"] == service
    assert notebook(world)["spec"] == running
    said = set(notebook(world)["metadata"]["annotations"]["kupyterhub/applied"].split(","))
    assert {each for each in said if not each.startswith("Secret")} <= applied
    assert len(said) == len(applied)
    world.resync.run("all")
    assert world.bus.take() == []


@changed
def test_a_notebook_without_pods_starts_with_the_change_that_waits(
    world: World, change: Callable[[World], None]
) -> None:
    """Others have ended its kernels by then."""
    world.ready()
    change(world)
    world.look()
    world.cluster.change("Deployment", NOTEBOOK, {"spec": {"replicas": 0}})
    world.cluster.available(NOTEBOOK, status="False")

    world.resync.run("all")
    world.deliver_bus()

    assert notebook(world)["spec"]["replicas"] == 1
    assert world.status().message != WAITS
    world.cluster.available(NOTEBOOK, status="True")
    world.resync.run("all")
    assert world.bus.take() == []


@pytest.mark.parametrize(
    "request_", [None, f"create Secret {NOTEBOOK}", f"annotate Deployment {NOTEBOOK}", "answered*"]
)
def test_a_secret_that_was_mended_under_another_master_secret_goes_back_with_it(
    world: World, request_: str | None
) -> None:
    """Killed before a request or not: the notebook says what is sure of the Secret."""
    world.ready()
    before, first = secret(world)["data"], world.master_secret
    change_master_secret(world)
    if request_ is None or not request_.startswith("annotate"):
        world.look()
    world.cluster.drop("Secret", NOTEBOOK)
    if request_ is not None:
        world.cluster.requests.before(request_, killed)
    for _ in range(4):
        world.clock.move(hours=1)
        world.resync.run("all")
        with contextlib.suppress(TransientError):
            world.deliver_bus()
    assert secret(world)["data"] != before

    world.master_secret = first
    world.look()

    assert secret(world)["data"] == before
