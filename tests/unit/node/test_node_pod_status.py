"""A pod's status out of its containers' states."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kupyterhub_local.node.domain.container_status import ContainerStatus, Running, State, Terminated, Waiting
from kupyterhub_local.node.domain.pod_status import PodState, pod_status

THEN = datetime(2026, 1, 1, tzinfo=UTC)
NOW = THEN + timedelta(minutes=1)
CREATING, RUNNING = Waiting("ContainerCreating"), Running(THEN)
DONE, FAILED = Terminated(0, "Completed", THEN, NOW), Terminated(3, "Error", THEN, NOW)
CRASHED = ContainerStatus(Waiting("CrashLoopBackOff"), last=FAILED, restarts=2)


def status(
    *containers: ContainerStatus | State, init: State | None = None, policy: str = "Always", before: Any = None
) -> dict[str, Any]:
    names = [f"c{number}" for number, _ in enumerate(containers)]
    spec: dict[str, Any] = {"containers": [{"name": name, "image": "i"} for name in names], "restartPolicy": policy}
    known = {
        name: each if isinstance(each, ContainerStatus) else ContainerStatus(each)
        for name, each in zip(names, containers, strict=True)
    }
    if init is not None:
        spec["initContainers"] = [{"name": "init"}]
        known["init"] = ContainerStatus(init)
    pod = {"metadata": {"uid": "u"}, "spec": spec}
    return pod_status(pod, PodState(known, "127.9.0.1", THEN), before or {}, NOW)


@pytest.mark.parametrize(
    ("containers", "policy", "phase"),
    [
        pytest.param([CREATING], "Always", "Pending", id="nothing runs yet"),
        pytest.param([RUNNING, CREATING], "Always", "Pending", id="one never ran"),
        pytest.param([RUNNING, FAILED], "Never", "Running", id="one still runs"),
        pytest.param([CRASHED], "Always", "Running", id="waits for its restart"),
        pytest.param([DONE], "Always", "Running", id="will run again"),
        pytest.param([DONE, DONE], "Never", "Succeeded", id="all succeeded"),
        pytest.param([DONE, FAILED], "Never", "Failed", id="one failed"),
        pytest.param([FAILED], "OnFailure", "Running", id="a failure that is tried again"),
        pytest.param([DONE], "OnFailure", "Succeeded", id="a success that is not"),
    ],
)
def test_the_phase_follows_the_containers(containers: list[Any], policy: str, phase: str) -> None:
    assert status(*containers, policy=policy)["phase"] == phase


@pytest.mark.parametrize(
    ("init", "policy", "phase", "initialized"),
    [
        (RUNNING, "Always", "Pending", "False"),
        (FAILED, "Always", "Pending", "False"),
        (FAILED, "Never", "Failed", "False"),
        (DONE, "Always", "Running", "True"),
    ],
)
def test_init_containers_come_first(init: State, policy: str, phase: str, initialized: str) -> None:
    made = status(RUNNING if init is DONE else CREATING, init=init, policy=policy)
    assert made["phase"] == phase
    assert conditions(made)["Initialized"]["status"] == initialized


def test_a_finished_pod_stays_finished() -> None:
    assert status(RUNNING, before={"phase": "Failed"})["phase"] == "Failed"


def conditions(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["type"]: each for each in made["conditions"]}


def test_ready_names_the_containers_that_are_not() -> None:
    ready = conditions(status(replace(ContainerStatus(RUNNING), ready=True), RUNNING))["Ready"]
    assert ready == {
        "type": "Ready",
        "status": "False",
        "lastTransitionTime": "2026-01-01T00:01:00Z",
        "reason": "ContainersNotReady",
        "message": "containers with unready status: [c1]",
    }


def test_transition_times_move_with_the_status_only_and_foreign_conditions_stay() -> None:
    ready = replace(ContainerStatus(RUNNING), ready=True)
    old, foreign = "2020-01-01T00:00:00Z", {"type": "Other", "status": "True"}
    before = {
        "conditions": [
            {"type": "Ready", "status": "False", "lastTransitionTime": old},
            {"type": "Initialized", "status": "True", "lastTransitionTime": old},
            foreign,
        ]
    }
    made = conditions(status(ready, before=before))
    assert made["Ready"]["lastTransitionTime"] == "2026-01-01T00:01:00Z"
    assert made["Initialized"]["lastTransitionTime"] == old
    assert made["Other"] == foreign


def test_a_container_is_described_as_a_kubelet_does() -> None:
    assert status(CRASHED)["containerStatuses"] == [
        {
            "name": "c0",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {
                "terminated": {
                    "exitCode": 3,
                    "reason": "Error",
                    "startedAt": "2026-01-01T00:00:00Z",
                    "finishedAt": "2026-01-01T00:01:00Z",
                }
            },
            "ready": False,
            "started": False,
            "restartCount": 2,
            "image": "i",
            "imageID": "",
            "containerID": "kupyterhub://u/c0/2",
        }
    ]


def test_a_restart_counts_and_keeps_the_end_before_it() -> None:
    first = ContainerStatus(CREATING).running(THEN)
    assert (first.restarts, first.last) == (0, None)
    second = first.ended(FAILED).waiting("CrashLoopBackOff").running(NOW)
    assert (second.restarts, second.last, second.state) == (1, FAILED, Running(NOW))
    assert first.ended(FAILED).running(NOW).restarts == 1


def test_what_an_earlier_node_left_running_has_ended_with_it() -> None:
    entry = ContainerStatus(RUNNING, restarts=1, ready=True).manifest({"name": "c"}, "u")
    found = ContainerStatus.found(entry, NOW)
    assert isinstance(found.state, Terminated)
    assert (found.state.exit_code, found.state.started_at, found.state.finished_at) == (137, THEN, NOW)
    assert found.running(NOW).restarts == 2
