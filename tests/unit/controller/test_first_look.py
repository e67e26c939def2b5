"""A new document becomes the contract's objects, with one request for each; another look changes nothing."""

from datetime import timedelta

import pytest

from kupyterhub.domain.names import base_name
from kupyterhub.domain.users import Status, search_terms
from twins import World
from twins.world import ADA, objects_of

NAME = base_name(ADA)


def test_a_new_document_costs_one_request_for_each_object_and_one_read(world: World) -> None:
    world.enrol()

    assert world.cluster.requests == [
        f"read Deployment jupyterlab-{NAME}",
        f"create PersistentVolumeClaim home-{NAME}",
        f"apply ServiceAccount notebook-{NAME}",
        f"apply ServiceAccount agent-{NAME}",
        f"apply Secret jupyterlab-{NAME}",
        f"apply Deployment jupyterlab-{NAME}",
        f"apply Service jupyterlab-{NAME}",
        f"apply Deployment agent-{NAME}",
    ]
    assert world.cluster.everything() == {*objects_of(ADA), f"PersistentVolumeClaim home-{NAME}"}


def test_a_new_document_gets_a_whole_status(world: World) -> None:
    outcome = world.enrol(displayName="Ada L.")

    document, now = world.users.peek("ada"), world.clock()
    assert (outcome.user, outcome.phase) == ("ada", "Provisioning")
    assert document.status == Status(
        phase="Provisioning",
        name=NAME,
        email=ADA,
        reason="Starting",
        message="JupyterLab is starting.",
        observed=document.observed,
        emailSince=document.create_time,
        startedAt=now,
        updatedAt=now,
        nextLookAt=now + timedelta(minutes=1),
        settings=world.settings.hash,
        terms=search_terms(ADA, "Ada L."),
    )
    assert world.users.history == [("ada", "Provisioning")]


def test_the_email_is_claimed_before_anything_is_applied(world: World) -> None:
    claimed: list[Status] = []
    world.cluster.requests.before("create*", lambda: claimed.append(world.status()))

    world.enrol()

    assert [(status.email, status.name, status.phase) for status in claimed] == [(ADA, NAME, None)]


def test_the_start_is_the_time_of_the_deployment_and_not_of_the_look(world: World) -> None:
    world.enrol()
    started = world.clock()
    world.clock.move(minutes=3)
    world.look()

    assert world.status().startedAt == started


@pytest.mark.parametrize("ready", [False, True], ids=["while provisioning", "when ready"])
def test_a_second_look_changes_nothing(world: World, *, ready: bool) -> None:
    if ready:
        world.ready()
    else:
        world.enrol()
    before, versions = world.users.peek("ada"), world.cluster.versions()
    world.users.requests.clear()
    world.cluster.requests.clear()
    world.clock.move(seconds=20)

    outcome = world.look()

    assert outcome.note == "unchanged"
    assert world.users.peek("ada") == before
    assert world.cluster.versions() == versions
    assert world.users.requests == ["get ada"]
    # One for each object but the storage, and one for the Deployment or, while it starts, for its pods as well.
    assert len(world.cluster.requests) == (7 if ready else 8)
    assert world.bus.messages == []


def test_a_look_that_finds_nothing_new_leaves_the_next_look_due(world: World) -> None:
    world.enrol()
    due = world.status().nextLookAt
    world.clock.move(minutes=2)
    world.look()

    assert world.status().nextLookAt == due


@pytest.mark.parametrize("key", sorted(objects_of(ADA)))
def test_a_look_repairs_a_deleted_object(world: World, key: str) -> None:
    world.ready()
    world.cluster.drop(*key.split())

    world.look()

    assert objects_of(ADA) <= world.cluster.everything()


def test_a_look_takes_back_what_somebody_changed(world: World) -> None:
    world.ready()
    world.cluster.change("Deployment", f"jupyterlab-{NAME}", {"spec": {"replicas": 0}})

    world.look()

    assert world.cluster.get("Deployment", f"jupyterlab-{NAME}")["spec"]["replicas"] == 1


def test_other_settings_change_the_agent_and_the_status(world: World) -> None:
    world.ready()
    images = world.settings.images.model_copy(update={"agent": "registry.example/agent:2"})
    world.settings = world.settings.model_copy(update={"images": images})

    world.look()

    agent = world.cluster.get("Deployment", f"agent-{NAME}")
    assert agent["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/agent:2"
    assert world.status().settings == world.settings.hash
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
