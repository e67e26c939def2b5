"""Something changes in the middle of a look: it is looked at again, and at the end nothing is wrong."""

from collections.abc import Callable
from functools import partial

import pytest

from kupyterhub.domain.errors import TransientError
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, objects_of

NAME = base_name(ADA)
MIDDLES = [
    f"create PersistentVolumeClaim home-{NAME}",
    f"create Secret jupyterlab-{NAME}",
    f"create Service jupyterlab-{NAME}",
    f"create ServiceAccount agent-{NAME}",
    f"create NetworkPolicy agent-{NAME}",
    f"create Deployment agent-{NAME}",
    f"create Deployment jupyterlab-{NAME}",
]
"""Of a first look."""
REPAIRS = [
    f"read Deployment jupyterlab-{NAME}",
    f"read Service jupyterlab-{NAME}",
    f"create Service jupyterlab-{NAME}",
    f"create Deployment agent-{NAME}",
    f"apply Secret jupyterlab-{NAME}",
    f"apply Deployment jupyterlab-{NAME}",
]
"""Of a thorough look, where the Service and the agent are missing."""
in_the_middle = pytest.mark.parametrize("request_", MIDDLES)


@in_the_middle
def test_a_document_that_changes_before_its_status_is_written_is_looked_at_again(world: World, request_: str) -> None:
    world.users.set("ada", email=ADA)
    world.cluster.requests.before(request_, lambda: world.users.set("ada", profile="big"))

    world.look()

    template = world.cluster.get("Deployment", f"jupyterlab-{NAME}")["spec"]["template"]
    seen = template["spec"]["containers"][0]["image"]
    waits = "A change waits" in (world.status().message or "")
    assert seen == "registry.example/big:1" or world.status().phase == "Provisioning" or waits
    assert world.status().observed == world.users.peek("ada").observed


@in_the_middle
def test_a_delete_in_the_middle_of_a_look_leaves_nothing_running(world: World, request_: str) -> None:
    world.users.set("ada", email=ADA)
    world.cluster.requests.before(request_, partial(gone, world))

    world.look()

    assert not objects_of(ADA) & world.cluster.everything()


@in_the_middle
def test_delete_user_in_the_middle_of_a_look_leaves_nothing_running(world: World, request_: str) -> None:
    world.users.set("ada", email=ADA)
    world.clock.move(minutes=1)
    world.cluster.requests.before(request_, partial(world.delete_user, email=ADA))

    world.look()

    assert not objects_of(ADA) & world.cluster.everything()
    assert world.status().phase == "Deleted"


@pytest.mark.parametrize("request_", REPAIRS)
@pytest.mark.parametrize("end", ["deleted", "stopped"])
def test_a_repair_that_has_no_status_to_write_notices_a_change_in_the_middle(
    world: World, request_: str, end: str
) -> None:
    world.ready()
    world.cluster.drop("Service", f"jupyterlab-{NAME}")
    world.cluster.drop("Deployment", f"agent-{NAME}")

    def stop() -> None:
        world.users.set("ada", state=end)
        world.look()

    world.cluster.requests.before(request_, stop)
    world.look(thoroughly=True)

    assert world.status().phase == end.capitalize()
    assert not objects_of(ADA) & world.cluster.everything()


@pytest.mark.parametrize("request_", REPAIRS)
def test_a_document_that_is_gone_in_the_middle_of_a_repair_leaves_nothing_running(
    world: World, request_: str
) -> None:
    world.ready()
    world.cluster.drop("Service", f"jupyterlab-{NAME}")
    world.cluster.drop("Deployment", f"agent-{NAME}")
    world.cluster.requests.before(request_, partial(gone, world))

    world.look(thoroughly=True)

    assert not objects_of(ADA) & world.cluster.everything()


def test_after_five_changes_it_is_left_for_another_delivery(world: World) -> None:
    world.enrol()
    for nth in range(1, 6):
        world.cluster.requests.before("apply Deployment agent-*", partial(change, world, nth), nth=nth)
    world.users.set("ada", profile="big")
    world.users.requests.clear()

    with pytest.raises(TransientError, match="changed 5 times"):
        world.look(thoroughly=True)
    assert len(world.users.requests.like("get ada")) == 5


def test_after_four_changes_it_ends_well(world: World) -> None:
    world.enrol()
    for nth in range(1, 5):
        world.cluster.requests.before("apply Deployment agent-*", partial(change, world, nth), nth=nth)
    world.users.set("ada", profile="big")

    world.look(thoroughly=True)

    assert world.status().observed == world.users.peek("ada").observed


def test_an_object_that_changed_since_it_was_read_is_read_again(world: World) -> None:
    world.ready()
    world.users.set("ada", state="stopped")
    touch: Callable[[], None] = partial(
        world.cluster.change, "Service", f"jupyterlab-{NAME}", {"metadata": {"annotations": {"touched": "yes"}}}
    )
    world.cluster.requests.before("delete Service*", touch)

    world.look()

    assert len(world.cluster.requests.like("delete Service *")) == 2
    assert not objects_of(ADA) & world.cluster.everything()


def test_an_object_that_is_gone_since_it_was_read_is_success(world: World) -> None:
    world.ready()
    world.users.set("ada", state="stopped")
    world.cluster.requests.before("delete Service*", partial(world.cluster.drop, "Service", f"jupyterlab-{NAME}"))

    world.look()

    assert world.status().phase == "Stopped"


def test_a_start_in_the_middle_of_a_stop_runs(world: World) -> None:
    world.ready()
    world.users.set("ada", state="stopped")

    def start() -> None:
        world.users.set("ada", state="running")
        world.clock.move(minutes=1)
        world.look()

    world.cluster.requests.before("delete Secret*", start)
    world.look()

    assert (world.status().phase, world.status().reason) == ("Provisioning", "Ending")
    a_minute_later(world)
    assert objects_of(ADA) <= world.cluster.everything()
    assert world.status().phase == "Provisioning"


@pytest.mark.parametrize("nth", range(1, 6))
@pytest.mark.parametrize("end", ["stopped", "deleted", "gone"])
def test_a_start_after_a_stop_that_was_killed_half_way_has_all_objects(world: World, end: str, nth: int) -> None:
    world.ready()
    hints = {"email": ADA} if end == "gone" else {}
    if end == "gone":
        world.users.remove("ada")
    else:
        world.users.set("ada", state=end)
    world.cluster.requests.before("delete *", away, nth=nth)
    with pytest.raises(TransientError):
        world.look(**hints)
    world.users.set("ada", email=ADA, state="running")
    world.look()
    for _ in range(2):
        a_minute_later(world)
        world.look(**hints)

    assert world.objects() == objects_of(ADA)


def test_a_person_who_is_enrolled_again_while_the_old_objects_go_runs(world: World) -> None:
    world.ready()
    world.users.remove("ada")

    def enrol_again() -> None:
        world.users.set("ada", email=ADA)
        world.look()

    world.cluster.requests.before("delete Secret*", enrol_again)
    world.look(email=ADA)
    a_minute_later(world)

    assert objects_of(ADA) <= world.cluster.everything()


def test_a_fault_in_the_middle_is_repaired_by_the_next_delivery(world: World) -> None:
    world.users.set("ada", email=ADA)
    for request in MIDDLES:
        world.cluster.requests.before(request, away)
        with pytest.raises(TransientError):
            world.look()

    world.look()

    assert objects_of(ADA) <= world.cluster.everything()
    assert world.status().phase == "Provisioning"


def a_minute_later(world: World) -> None:
    """Pods have ended, and who is due is looked at."""
    world.cluster.settle()
    world.clock.move(minutes=1)
    world.resync.run("due")
    world.deliver_bus()


def gone(world: World) -> None:
    """The document is deleted, and the event of that is handled at once."""
    world.users.remove("ada")
    world.look(email=ADA)


def change(world: World, number: int) -> None:
    world.users.set("ada", form=number)


def away() -> None:
    raise TransientError("Kubernetes is away")
