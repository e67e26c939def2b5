"""A new document becomes the contract's objects, with one request for each; where all is well a look is one read."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from kupyterhub.domain.errors import TransientError
from kupyterhub.domain.users import Change, Status, search_terms
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA, objects_of

NAME = base_name(ADA)


CREATED = [
    f"create PersistentVolumeClaim home-{NAME}",
    f"create Secret jupyterlab-{NAME}",
    f"create Service jupyterlab-{NAME}",
    f"create ServiceAccount agent-{NAME}",
    f"create NetworkPolicy agent-{NAME}",
    f"create Deployment agent-{NAME}",
    f"create Deployment jupyterlab-{NAME}",
]


def test_a_new_document_costs_one_request_for_each_object_and_one_write(world: World) -> None:
    world.enrol()

    assert world.cluster.requests == CREATED
    # The last is whether the document is still the one that was acted on.
    asked = ["get ada", f"claim {NAME}", f"query status.email {ADA}", f"take {NAME} ada", "get ada"]
    assert world.users.requests == asked
    assert world.cluster.everything() == {*objects_of(ADA), f"PersistentVolumeClaim home-{NAME}"}


def test_a_new_document_gets_a_whole_status(world: World) -> None:
    outcome = world.enrol(displayName="Ada L.")

    document, now = world.users.peek("ada"), world.clock()
    assert (outcome.user, outcome.phase) == ("ada", "Provisioning")
    assert document.status == Status(
        phase="Provisioning",
        name=NAME,
        email=ADA,
        reason="NoPod",
        message="Kubernetes has not made its pod yet.",
        observed=document.observed,
        emailSince=document.create_time,
        updatedAt=now,
        nextLookAt=now + timedelta(minutes=1),
        settings=world.reconciler.installation.hash,
        terms=search_terms(ADA, "Ada L."),
        changes=(Change("Provisioning", now, "NoPod", "Kubernetes has not made its pod yet."),),
    )
    assert (world.users.phases, world.users.history) == ([("ada", "Provisioning")], [])


def test_the_name_is_held_and_the_intention_written_before_anything_is_made(world: World) -> None:
    then: list[tuple[dict[str, str], Status]] = []
    world.cluster.requests.before("create*", lambda: then.append((world.users.claims(), world.status())))

    world.enrol()

    ((claims, status),) = then
    assert claims == {NAME: "ada"}
    assert status == world.status()


def test_the_start_is_the_time_of_the_deployment_and_not_of_the_look(world: World) -> None:
    world.enrol()
    started = world.clock()
    assert world.status().startedAt is None
    world.clock.move(minutes=3)
    world.look()

    assert world.status().startedAt == started


@pytest.mark.parametrize("request_", CREATED)
def test_a_start_that_was_killed_is_ended_by_the_next_look(world: World, request_: str) -> None:
    world.cluster.requests.before(request_, away)
    with pytest.raises(TransientError):
        world.enrol()
    assert f"Deployment jupyterlab-{NAME}" not in world.cluster.everything()

    world.look()

    assert objects_of(ADA) <= world.cluster.everything()


@pytest.mark.parametrize(
    "imported",
    [{"phase": "Ready", "name": NAME, "email": ADA}, {"restartedAt": "never"}, 7],
    ids=["exported", "edited", "a number"],
)
def test_what_is_there_already_is_taken_over_by_who_comes_with_a_status(world: World, imported: Any) -> None:
    other = World()
    other.enrol()
    for key in objects_of(ADA):
        world.cluster.create(other.cluster.get(*key.split()))
    world.users.set("ada", email=ADA, status=imported)
    versions = world.cluster.versions()

    world.look()

    assert versions.items() <= world.cluster.versions().items()
    assert world.users.claims() == {NAME: "ada"}
    assert world.status().phase == "Provisioning"


@pytest.mark.parametrize("ready", [False, True], ids=["while provisioning", "when ready"])
def test_a_second_look_changes_nothing(world: World, *, ready: bool) -> None:
    if ready:
        world.ready()
    else:
        world.enrol()
        world.look()
    before, versions = world.users.peek("ada"), world.cluster.versions()
    world.users.requests.clear()
    world.cluster.requests.clear()
    world.clock.move(seconds=20)

    outcome = world.look()

    assert outcome.note == "unchanged"
    assert world.users.peek("ada") == before
    assert world.cluster.versions() == versions
    assert world.users.requests == ["get ada", f"claim {NAME}"]
    # While it starts, what keeps it from running is read as well.
    pods = f"list Pod app.kubernetes.io/managed-by=kupyterhub,app.kubernetes.io/instance={NAME}"
    why = [] if ready else [pods, f"read Deployment agent-{NAME}"]
    assert world.cluster.requests == [f"read Deployment jupyterlab-{NAME}", *why]
    assert world.bus.messages == []


def test_a_look_that_finds_nothing_new_leaves_the_next_look_due(world: World) -> None:
    world.enrol()
    world.look()
    due = world.status().nextLookAt
    world.clock.move(minutes=2)
    world.look()

    assert world.status().nextLookAt == due


@pytest.mark.parametrize("key", sorted(objects_of(ADA)))
def test_a_thorough_look_repairs_a_deleted_object(world: World, key: str) -> None:
    world.ready()
    world.cluster.drop(*key.split())
    if key == f"Deployment jupyterlab-{NAME}":
        world.cluster.settle()

    world.look(thoroughly=True)

    assert objects_of(ADA) <= world.cluster.everything()


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("Deployment", "jupyterlab", {"spec": {"replicas": 0}}),
    ("Deployment", "jupyterlab", {"metadata": {"annotations": {"kupyterhub/user": "eve"}}}),
    ("Deployment", "agent", {"spec": {"replicas": 0}}),
    ("Service", "jupyterlab", {"metadata": {"annotations": {"kupyterhub/idle-timeout": "999999"}}}),
    ("Secret", "jupyterlab", {"data": {"token": "YQ=="}}),
    ("ServiceAccount", "agent", {"automountServiceAccountToken": True}),
    ("NetworkPolicy", "agent", {"spec": {"egress": [{}]}}),
]


@pytest.mark.parametrize(("kind", "prefix", "patch"), CHANGES)
def test_a_thorough_look_takes_back_what_somebody_changed_and_nothing_else(
    world: World, kind: str, prefix: str, patch: dict[str, Any]
) -> None:
    world.ready()
    before = content(world)
    world.cluster.change(kind, f"{prefix}-{NAME}", patch)
    assert content(world) != before

    world.look(thoroughly=True)

    assert content(world) == before


def test_a_thorough_look_at_what_is_well_changes_nothing(world: World) -> None:
    world.ready()
    versions = world.cluster.versions()

    assert world.look(thoroughly=True).note == "unchanged"
    assert world.cluster.versions() == versions


@pytest.mark.parametrize("prefix", ["jupyterlab", "agent"])
def test_an_object_that_is_made_anew_in_between_is_never_overwritten_unread(world: World, prefix: str) -> None:
    world.ready()
    touch = partial(world.cluster.change, "Deployment", f"{prefix}-{NAME}", {"metadata": {"labels": {"a": "b"}}})
    world.cluster.requests.before(f"apply Deployment {prefix}-{NAME}", touch)

    world.look(thoroughly=True)

    assert len(world.cluster.requests.like(f"apply Deployment {prefix}-{NAME}")) == 2
    assert world.cluster.get("Deployment", f"{prefix}-{NAME}")["metadata"]["labels"]["a"] == "b"


def content(world: World) -> list[dict[str, Any]]:
    """All objects, without what counts their changes."""
    found = [world.cluster.get(*key.split()) for key in sorted(world.cluster.everything())]
    for obj in found:
        obj["metadata"] = {part: obj["metadata"].get(part) for part in ("uid", "labels", "annotations")}
    return found


def away() -> None:
    raise TransientError("Kubernetes is away")


def test_other_settings_change_the_agent_and_the_status(world: World) -> None:
    world.ready()
    images = world.settings.images.model_copy(update={"agent": "registry.example/agent:2"})
    world.settings = world.settings.model_copy(update={"images": images})

    world.look()

    agent = world.cluster.get("Deployment", f"agent-{NAME}")
    assert agent["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/agent:2"
    assert world.status().settings == world.reconciler.installation.hash
    assert world.status().message is None


def test_a_reason_of_kubernetes_is_told(world: World) -> None:
    world.enrol()
    deployment = f"jupyterlab-{NAME}"
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff"}}}
    world.cluster.add_pod(deployment, containerStatuses=[waiting])
    world.cluster.available(deployment, status="False")

    world.look()

    assert world.status().phase == "Provisioning"
    assert world.status().reason == "ImagePullBackOff"
    assert "image cannot be fetched" in (world.status().message or "")


def test_an_agents_pod_is_no_reason_of_the_notebook(world: World) -> None:
    world.enrol()
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    world.cluster.add_pod(f"agent-{NAME}", conditions=[condition])
    world.cluster.available(f"jupyterlab-{NAME}", status="False")
    world.cluster.add_pod(f"jupyterlab-{NAME}", phase="Running", containerStatuses=[{"state": {"running": {}}}])

    world.look()

    assert world.status().reason == "Starting"


def test_where_a_user_runs_is_said(world: World) -> None:
    cluster = {"name": "west", "endpoint": "https://cluster.example"}
    tree = {**world.settings.model_dump(exclude_defaults=True), "clusters": [cluster]}
    world.settings = type(world.settings).model_validate(
        {**tree, "profiles": {"default": {}}, "images": {"agent": "a", "jupyterlab": "j"}}
    )
    world.enrol()

    assert world.status().cluster == "west"
