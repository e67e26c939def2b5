"""Why a notebook does not run: from what Kubernetes holds of it, as a real one holds it, to words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kupyterhub.domain.live import Object
from kupyterhub.domain.names import token
from kupyterhub.domain.troubles import Trouble, asks_for_events, newest, trouble
from kupyterhub_rules.names import base_name

NAME = base_name("ada@example.com")
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
TOKEN = token(b"k", NAME)
IMAGES = {"jupyterlab": "registry.example/lab:1", "agent": "registry.example/agent:1"}
LIMITS = {"jupyterlab": "4Gi", "agent": "256Mi"}
QUOTA = (
    'pods "p" is forbidden: exceeded quota: kupyterhub, requested: requests.cpu=4, used: requests.cpu=1, '
    "limited: requests.cpu=3"
)
NO_ROOM = (
    "The quota kupyterhub has no room: CPU (4 asked for, 1 of 3 used). Something else has to stop first, or an "
    "administrator should raise the quota."
)
UNTIMED = [{"type": "PodScheduled", "status": "True", "lastTransitionTime": None}]
SCHEDULED = {"PodScheduled": "True"}
READY = {**SCHEDULED, "Ready": "True"}
RUNNING = {"running": {"startedAt": "2026-01-01T12:00:00Z"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
ENDED = {"exitCode": 1, "reason": "Error"}


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": text(NOW),
        **({"reason": reason} if reason else {}),
        **({"message": message} if message else {}),
    }


def deployment(*conditions: dict[str, Any], component: str = "jupyterlab", observed: int = 2) -> Object:
    return {
        "kind": "Deployment",
        "metadata": {"name": f"{component}-{NAME}", "generation": 2},
        "status": {"observedGeneration": observed, "conditions": list(conditions)},
    }


def container(name: str = "jupyterlab", *, ready: bool = False, restarts: int = 0, **states: Any) -> dict[str, Any]:
    last = {"lastState": {"terminated": states["last"]}} if "last" in states else {}
    return {"name": name, "state": states["state"], **last, "ready": ready, "restartCount": restarts}


def pod(
    *containers: dict[str, Any],
    component: str = "jupyterlab",
    conditions: list[dict[str, Any]] | dict[str, str] | None = None,
    age: int = 0,
    ending: bool = False,
    **status: Any,
) -> Object:
    """A pod that was made `age` minutes ago."""
    listed = [condition(*each) for each in conditions.items()] if isinstance(conditions, dict) else conditions
    number = f"{component}-{NAME}-{age}"
    return {
        "kind": "Pod",
        "metadata": {
            "namespace": "kupyterhub",
            "name": number,
            "uid": f"uid-{number}",
            "labels": {"app.kubernetes.io/component": component, "app.kubernetes.io/instance": NAME},
            "creationTimestamp": text(NOW - timedelta(minutes=age)),
            **({"deletionTimestamp": text(NOW)} if ending else {}),
        },
        "spec": {
            "initContainers": [{"name": "files", "image": "registry.example/files:1"}],
            "containers": [
                {
                    "name": component,
                    "image": IMAGES[component],
                    "resources": {"limits": {"cpu": "1", "memory": LIMITS[component]}},
                }
            ],
        },
        "status": {
            **({"conditions": listed} if listed else {}),
            **({"containerStatuses": list(containers)} if containers else {}),
            **status,
        },
    }


def unscheduled(message: str, reason: str = "Unschedulable") -> Object:
    return pod(conditions=[condition("PodScheduled", "False", reason, message)])


def event(reason: str, message: str, *, minute: int = 0, of: str = f"jupyterlab-{NAME}-0", **more: Any) -> Object:
    moment = NOW + timedelta(minutes=minute)
    return {
        "kind": "Event",
        "metadata": {"name": "e", "creationTimestamp": text(NOW)},
        "involvedObject": {"kind": "Pod", "name": of, "uid": f"uid-{of}"},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": text(moment),
        "eventTime": None,
        **more,
    }


READY_POD = pod(container(ready=True, state=RUNNING), conditions=READY, age=1)
READY_AGENT = pod(container("agent", ready=True, state=RUNNING), component="agent", conditions=READY)


def told(*pods: Object, events: tuple[Object, ...] = ()) -> Trouble | None:
    return trouble(deployment(), pods, events)


def test_nothing_is_wrong_where_jupyterlab_runs_and_is_not_ready_yet() -> None:
    assert told(pod(container(state=RUNNING), conditions=SCHEDULED), READY_AGENT) is None


def test_nothing_is_wrong_where_all_is_ready() -> None:
    assert told(READY_POD, READY_AGENT) is None


def test_where_there_is_no_pod_that_is_told() -> None:
    assert told() == Trouble("NoPod", "Kubernetes has not made its pod yet.")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        pytest.param(
            condition("ReplicaFailure", "True", "FailedCreate", QUOTA),
            Trouble("QuotaExceeded", NO_ROOM, refused=True),
            id="of its pod",
        ),
        pytest.param(
            condition(
                "Progressing", "False", "ReplicaSetCreateError", f'Failed to create new replica set "r": {QUOTA}'
            ),
            Trouble("QuotaExceeded", NO_ROOM, refused=True),
            id="of its ReplicaSet",
        ),
        pytest.param(
            condition("ReplicaFailure", "True", "FailedCreate", "Internal error occurred: etcd is away"),
            Trouble(
                "FailedCreate",
                "Kubernetes failed this time and tries again: Internal error occurred: etcd is away.",
            ),
            id="that passes",
        ),
        pytest.param(
            condition("ReplicaFailure", "True", "FailedDelete", "no"),
            Trouble("NoPod", "Kubernetes has not made its pod yet."),
            id="of a deletion",
        ),
        pytest.param(
            condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out"),
            Trouble("NoPod", "Kubernetes has not made its pod yet."),
            id="to be in time",
        ),
    ],
)
def test_a_refusal_is_told(made: dict[str, Any], expected: Trouble) -> None:
    assert trouble(deployment(made), []) == expected


def test_a_refusal_of_an_earlier_version_of_the_deployment_is_not_told() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", QUOTA)

    assert trouble(deployment(failure, observed=1), []) == Trouble("NoPod", "Kubernetes has not made its pod yet.")


def test_a_pod_that_is_there_says_more_than_a_refusal() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", QUOTA)

    assert trouble(deployment(failure), [pod(container(state=RUNNING), conditions=SCHEDULED)]) is None


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        pytest.param(
            unscheduled("0/3 nodes are available: 3 Insufficient cpu."),
            Trouble("WaitingForNode", "Waiting for a machine with room; adding one usually takes a few minutes."),
            id="for room",
        ),
        pytest.param(
            unscheduled(f'0/1 nodes are available: persistentvolumeclaim "home-{NAME}" not found. not found'),
            Trouble(
                "StorageMissing",
                f"Its storage is missing (PersistentVolumeClaim home-{NAME}), and it cannot start without. An "
                "administrator should find out why.",
            ),
            id="for a claim that is missing",
        ),
        pytest.param(
            unscheduled(f'0/1 nodes are available: persistentvolumeclaim "home-{NAME}" is being deleted. not found'),
            Trouble(
                "StorageMissing",
                f"Its storage is being deleted (PersistentVolumeClaim home-{NAME}), and it cannot start without. An "
                "administrator should find out why.",
            ),
            id="for a claim that goes",
        ),
        pytest.param(
            unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"),
            Trouble(
                "WaitingForStorage",
                "Waiting for its storage to be made. If this takes more than a few minutes, an administrator should "
                "look at the StorageClass and the PersistentVolumeClaim.",
            ),
            id="for a disk",
        ),
        pytest.param(
            unscheduled(
                'running PreBind plugin "VolumeBinding": binding volumes: context deadline exceeded', "SchedulerError"
            ),
            Trouble(
                "WaitingForStorage",
                "Waiting for its storage to be made. If this takes more than a few minutes, an administrator should "
                "look at the StorageClass and the PersistentVolumeClaim.",
            ),
            id="for a disk that is not made in time",
        ),
        pytest.param(
            pod(),
            Trouble(
                "NotScheduled",
                "Kubernetes has not given its pod a machine yet; where storage is new, that is made first.",
            ),
            id="for the scheduler",
        ),
        pytest.param(
            unscheduled("no such plugin", "SchedulerError"),
            Trouble(
                "NotScheduled",
                "Kubernetes has not given its pod a machine yet; where storage is new, that is made first. "
                "Kubernetes says: no such plugin.",
            ),
            id="for a scheduler in trouble",
        ),
        pytest.param(
            pod(conditions=SCHEDULED),
            Trouble(
                "ContainerCreating",
                "Its container is being made: storage is attached and the image is fetched.",
            ),
            id="for its machine to begin",
        ),
        pytest.param(
            pod(container(state=CREATING), conditions=SCHEDULED),
            Trouble(
                "ContainerCreating",
                "Its container is being made: storage is attached and the image is fetched.",
            ),
            id="for its container",
        ),
        pytest.param(
            pod(
                container(state={"waiting": {"reason": "ContainerCreating", "message": "no token yet"}}),
                conditions=SCHEDULED,
            ),
            Trouble(
                "ContainerCreating",
                "Its container is being made: storage is attached and the image is fetched. Kubernetes says: no "
                "token yet.",
            ),
            id="for what its container needs",
        ),
    ],
)
def test_what_a_pod_waits_for_before_anything_runs_is_told(waiting: Object, expected: Trouble) -> None:
    assert told(waiting) == expected


MULTI_ATTACH = event("FailedAttachVolume", 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) p')
NOT_IN_TIME = event(
    "FailedMount", "Unable to attach or mount volumes: unmounted volumes=[home], context deadline exceeded", minute=5
)
MULTI_ATTACHED = Trouble(
    "StorageNotAttached",
    "Its storage is still attached to another machine, which can last some minutes. Kubernetes says: Multi-Attach "
    'error for volume "pvc-1" Volume is already used by pod(s) p.',
)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param([MULTI_ATTACH], MULTI_ATTACHED, id="still attached elsewhere"),
        pytest.param([MULTI_ATTACH, NOT_IN_TIME], MULTI_ATTACHED, id="and therefore late"),
        pytest.param(
            [NOT_IN_TIME],
            Trouble(
                "StorageNotAttached",
                "A volume of its pod could not be attached yet. Kubernetes says: Unable to attach or mount volumes: "
                "unmounted volumes=[home], context deadline exceeded.",
            ),
            id="late alone",
        ),
        pytest.param(
            [
                event("FailedMount", "first", series={"lastObservedTime": "2026-01-01T12:09:00.000001Z"}),
                event("FailedMount", "last", lastTimestamp=None, eventTime="2026-01-01T12:10:00.000001Z"),
                event("FailedMount", "between", minute=9),
                event("FailedMount", "without a time", lastTimestamp=None),
            ],
            Trouble(
                "StorageNotAttached",
                "A volume of its pod could not be attached yet. Kubernetes says: last.",
            ),
            id="the last",
        ),
        pytest.param(
            [MULTI_ATTACH, event("FailedCreatePodSandBox", "Failed to create pod sandbox: no addresses", minute=1)],
            Trouble(
                "FailedCreatePodSandBox",
                "Its machine could not set up the pod; it is tried again. Kubernetes says: Failed to create pod "
                "sandbox: no addresses.",
            ),
            id="the machine itself",
        ),
        pytest.param(
            [
                event("FailedMount", "of a former pod", of=f"jupyterlab-{NAME}-1"),
                event("FailedScheduling", "over now"),
                event("FailedMount", "nothing is wrong", type="Normal"),
            ],
            Trouble(
                "ContainerCreating",
                "Its container is being made: storage is attached and the image is fetched.",
            ),
            id="others",
        ),
    ],
)
def test_events_say_why_a_container_is_not_made(events: list[Object], expected: Trouble) -> None:
    assert told(pod(container(state=CREATING), conditions=SCHEDULED), events=tuple(events)) == expected


def test_events_say_nothing_once_a_container_runs() -> None:
    assert told(pod(container(state=RUNNING), conditions=SCHEDULED), events=(MULTI_ATTACH,)) is None


def waits(reason: str, message: str = "", name: str = "jupyterlab") -> dict[str, Any]:
    return container(name, state={"waiting": {"reason": reason, **({"message": message} if message else {})}})


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        pytest.param(
            waits("ImagePullBackOff", 'Back-off pulling image "registry.example/lab:1": ErrImagePull: not found'),
            Trouble(
                "ImagePullBackOff",
                "Its image registry.example/lab:1 cannot be fetched. An administrator should check the image's name "
                'and access. Kubernetes says: Back-off pulling image "registry.example/lab:1": ErrImagePull: not '
                "found.",
            ),
            id="an image that cannot be fetched",
        ),
        pytest.param(
            waits("InvalidImageName"),
            Trouble(
                "InvalidImageName",
                "The name of its image registry.example/lab:1 is not valid. An administrator should check the "
                "settings.",
            ),
            id="an image that cannot be",
        ),
        pytest.param(
            waits("CreateContainerConfigError", f'secret "jupyterlab-{NAME}" not found'),
            Trouble(
                "CreateContainerConfigError",
                "Something that its container needs is missing. An administrator should look. Kubernetes says: "
                f'secret "jupyterlab-{NAME}" not found.',
            ),
            id="something that is missing",
        ),
        pytest.param(
            waits("CreateContainerError", "context deadline exceeded"),
            Trouble(
                "CreateContainerError",
                "Its container cannot be started; it is tried again. Kubernetes says: context deadline exceeded.",
            ),
            id="a container that is not started",
        ),
        pytest.param(
            container(state={"terminated": {"exitCode": 137, "reason": "OOMKilled"}}),
            Trouble(
                "OutOfMemory",
                "JupyterLab was ended because it used more memory than its limit of 4Gi, and is started again.",
            ),
            id="too much memory, just now",
        ),
        pytest.param(
            container(
                state={"waiting": {"reason": "CrashLoopBackOff"}},
                last={"exitCode": 137, "reason": "OOMKilled"},
                restarts=3,
            ),
            Trouble(
                "OutOfMemory",
                "JupyterLab was ended because it used more memory than its limit of 4Gi, and is started again.",
            ),
            id="too much memory, before",
        ),
        pytest.param(
            container(state={"terminated": {**ENDED, "message": "no port\n"}}),
            Trouble(
                "CrashLoopBackOff",
                "JupyterLab ended with exit code 1, and is started again. Its log ends with: no port.",
            ),
            id="an end",
        ),
        pytest.param(
            container(
                state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                last={**ENDED, "message": "first\n\nsecond\r\n\x1b[31mthird\x1b[0m\n\nfourth.\n"},
                restarts=2,
            ),
            Trouble(
                "CrashLoopBackOff",
                "JupyterLab ends again and again, last with exit code 1. Its log ends with: second / third / fourth.",
            ),
            id="one end after the other",
        ),
        pytest.param(
            container(state=RUNNING, last=ENDED, restarts=5),
            Trouble(
                "CrashLoopBackOff",
                "JupyterLab ends again and again, last with exit code 1. An administrator should look at its log "
                f"(kubectl logs --previous -n kupyterhub jupyterlab-{NAME}-0 -c jupyterlab).",
            ),
            id="an end without a word",
        ),
        pytest.param(
            container(state=RUNNING, last={**ENDED, "message": f"http://a/lab?token={TOKEN}"}, restarts=1),
            Trouble(
                "CrashLoopBackOff",
                "JupyterLab ended with exit code 1, and is started again. Its log ends with: http://a/lab?token=….",
            ),
            id="an end that tells a token",
        ),
        pytest.param(
            container(
                state={"waiting": {"reason": "CrashLoopBackOff"}},
                last={"exitCode": 128, "reason": "StartError", "message": "exec: jupyter: not found"},
                restarts=1,
            ),
            Trouble(
                "CrashLoopBackOff",
                "JupyterLab ends again and again, last with exit code 128. Kubernetes says: exec: jupyter: not "
                "found.",
            ),
            id="no program",
        ),
    ],
)
def test_why_its_container_does_not_run_is_told(status: dict[str, Any], expected: Trouble) -> None:
    assert told(pod(status, conditions=SCHEDULED)) == expected


def test_an_end_that_is_over_is_not_told() -> None:
    status = container(ready=True, state=RUNNING, last={"exitCode": 137, "reason": "OOMKilled"}, restarts=1)

    assert told(pod(status, conditions=SCHEDULED)) is None


def test_of_a_long_log_the_end_is_told() -> None:
    found = told(pod(container(state={"terminated": {**ENDED, "message": f"{'x y ' * 200}the end"}})))

    assert found is not None
    quote = found.message.partition("Its log ends with: ")[2]
    assert quote.startswith("…")
    assert quote.endswith("x y the end.")
    assert len(quote) == 301


def test_what_goes_before_jupyterlab_is_told_by_its_name() -> None:
    ended = container("files", state={"waiting": {"reason": "CrashLoopBackOff"}}, last=ENDED, restarts=2)
    waiting = pod(waits("PodInitializing"), conditions=SCHEDULED, initContainerStatuses=[ended])

    assert told(waiting) == Trouble(
        "CrashLoopBackOff",
        "Its container files ends again and again, last with exit code 1. An administrator should look at its log "
        f"(kubectl logs --previous -n kupyterhub jupyterlab-{NAME}-0 -c files).",
    )


def test_what_goes_before_jupyterlab_and_is_done_is_not_told() -> None:
    done = container("files", ready=True, state={"terminated": {"exitCode": 0, "reason": "Completed"}})
    running = pod(container(state=RUNNING), conditions=SCHEDULED, initContainerStatuses=[done])

    assert told(running) is None


EVICTED = pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory. ", age=3)


def disrupted(reason: str) -> Object:
    return pod(
        container(state=RUNNING), conditions=[condition("DisruptionTarget", "True", reason)], ending=True, age=2
    )


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        pytest.param(
            EVICTED,
            Trouble(
                "Evicted",
                "Its pod had to leave its machine. It starts anew on another machine. Kubernetes says: The node was "
                "low on resource: memory.",
            ),
            id="a machine that is short of something",
        ),
        pytest.param(
            disrupted("PreemptionByScheduler"),
            Trouble(
                "Preempted",
                "Its pod had to give its place to a more important one. It starts anew on another machine.",
            ),
            id="something more important",
        ),
        pytest.param(
            disrupted("EvictionByEvictionAPI"),
            Trouble(
                "Evicted",
                "Its pod was asked to leave its machine, which is being emptied. It starts anew on another machine.",
            ),
            id="a machine that is emptied",
        ),
        pytest.param(
            disrupted("DeletionByTaintManager"),
            Trouble(
                "Evicted",
                "Its pod had to leave its machine, which is out of order or closed. It starts anew on another "
                "machine.",
            ),
            id="a machine out of order",
        ),
        pytest.param(
            disrupted("TerminationByKubelet"),
            Trouble(
                "Evicted",
                "Its pod was ended by its machine, which was short of something or shut down. It starts anew on "
                "another machine.",
            ),
            id="a machine that shuts down",
        ),
        pytest.param(
            pod(container(state=RUNNING), ending=True),
            Trouble("Ending", "Its pod from before is still ending; the next is made after that."),
            id="a restart",
        ),
        pytest.param(
            pod(phase="Failed", reason="OutOfcpu", message="Pod was rejected: Node didn't have enough cpu"),
            Trouble(
                "PodFailed",
                "Its pod has ended and is made anew. Kubernetes says: Pod was rejected: Node didn't have enough cpu.",
            ),
            id="anything else",
        ),
    ],
)
def test_why_its_last_pod_had_to_go_is_told_where_there_is_no_other(gone: Object, expected: Trouble) -> None:
    assert told(gone) == expected


@pytest.mark.parametrize("gone", [EVICTED, disrupted("PreemptionByScheduler")], ids=["failed", "being deleted"])
def test_a_pod_that_had_to_go_is_not_told_of_where_another_is_there(gone: Object) -> None:
    other = pod(container(state=RUNNING), conditions=SCHEDULED, age=9)

    assert told(gone, other) is None


def test_a_refusal_says_more_than_the_pod_that_had_to_go() -> None:
    failure = condition("ReplicaFailure", "True", "FailedCreate", QUOTA)

    assert trouble(deployment(failure), [EVICTED]) == Trouble("QuotaExceeded", NO_ROOM, refused=True)


def test_of_several_pods_the_newest_counts() -> None:
    older, newer = pod(waits("ErrImagePull"), age=2), pod(container(state=RUNNING), conditions=SCHEDULED, age=1)

    assert told(older, newer) is None
    assert newest([older, newer, READY_AGENT]) is newer


def test_one_ready_pod_is_enough() -> None:
    assert told(READY_POD, pod(waits("ErrImagePull")), READY_AGENT) is None


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param(
            [pod(waits("ErrImagePull", name="agent"), component="agent")],
            Trouble(
                "ErrImagePull",
                "The agent's image registry.example/agent:1 cannot be fetched. An administrator should check the "
                "image's name and access.",
            ),
            id="its image",
        ),
        pytest.param(
            [
                pod(
                    container("agent", state={"terminated": {**ENDED, "message": "KUPYTERHUB_PROXY_URL"}}),
                    component="agent",
                )
            ],
            Trouble(
                "CrashLoopBackOff",
                "The agent ended with exit code 1, and is started again. Its log ends with: KUPYTERHUB_PROXY_URL.",
            ),
            id="its end",
        ),
        pytest.param(
            [pod(component="agent", conditions=[condition("PodScheduled", "False", "Unschedulable")])],
            Trouble(
                "WaitingForNode",
                "The agent is waiting for a machine with room; adding one usually takes a few minutes.",
            ),
            id="its machine",
        ),
        pytest.param([], Trouble("NoPod", "Kubernetes has not made the agent's pod yet."), id="its pod"),
        pytest.param([READY_AGENT], None, id="nothing"),
        pytest.param([READY_AGENT, pod(waits("ErrImagePull", name="agent"), component="agent")], None, id="its next"),
    ],
)
def test_where_jupyterlab_is_ready_the_agents_trouble_is_told(pods: list[Object], expected: Trouble | None) -> None:
    assert trouble(deployment(), [READY_POD, *pods], agent=deployment(component="agent")) == expected


@pytest.mark.parametrize("pods", [[READY_POD], [pod(container(state=RUNNING))]], ids=["ready", "starting"])
def test_a_refused_agent_is_told_as_that(pods: list[Object]) -> None:
    agent = deployment(condition("ReplicaFailure", "True", "FailedCreate", QUOTA), component="agent")

    assert trouble(deployment(), pods, agent=agent) == Trouble(
        "QuotaExceeded", f"The agent has no pod. {NO_ROOM}", refused=True
    )


def test_where_jupyterlab_still_starts_an_agent_may_as_well() -> None:
    starting = pod(container(state=RUNNING), conditions=SCHEDULED)

    assert trouble(deployment(), [starting], agent=deployment(component="agent")) is None


def test_where_the_agent_is_everybodys_its_pod_is_not_missed() -> None:
    assert told(READY_POD) is None


def test_jupyterlabs_trouble_goes_before_the_agents() -> None:
    found = told(pod(waits("InvalidImageName")), pod(waits("ErrImagePull", name="agent"), component="agent"))

    assert found is not None
    assert found.reason == "InvalidImageName"


@pytest.mark.parametrize(
    ("pods", "seconds", "asks"),
    [
        pytest.param([pod(container(state=CREATING), conditions=SCHEDULED)], 61, True, id="a minute without one"),
        pytest.param([pod(conditions=SCHEDULED)], 61, True, id="a minute without a word"),
        pytest.param([pod(conditions=UNTIMED)], 61, True, id="a minute, of a kubelet that tells no times"),
        pytest.param([pod(conditions=UNTIMED)], 60, False, id="not yet, of a kubelet that tells no times"),
        pytest.param([pod(container(state=CREATING), conditions=SCHEDULED)], 60, False, id="not yet a minute"),
        pytest.param([pod(container(state=RUNNING), conditions=SCHEDULED)], 61, False, id="runs"),
        pytest.param([pod(container(state=CREATING, last=ENDED), conditions=SCHEDULED)], 61, False, id="has run"),
        pytest.param([unscheduled("3 Insufficient cpu.")], 61, False, id="no machine"),
        pytest.param([pod()], 61, False, id="nothing known"),
        pytest.param([pod(conditions=SCHEDULED, ending=True)], 61, False, id="about to go"),
        pytest.param([pod(component="agent", conditions=SCHEDULED)], 61, False, id="the agent's"),
        pytest.param([], 61, False, id="no pod"),
    ],
)
def test_events_are_asked_for_where_they_may_say_why(pods: list[Object], seconds: int, *, asks: bool) -> None:
    assert asks_for_events(pods, NOW + timedelta(seconds=seconds)) is asks
