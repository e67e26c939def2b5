"""Why somebody's notebook does not run: from its Deployment, the user's pods and Events about them, to words.

Of several pods the newest counts that is not about to go. The agent counts once the notebook is ready, or if refused.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from kupyterhub.domain import live as facts
from kupyterhub.domain.containers import AGENT, NOTEBOOK, Part, capital, container_trouble, has_started
from kupyterhub.domain.live import Object
from kupyterhub.domain.quoting import said
from kupyterhub.domain.refusals import Trouble, refusal_of_message

__all__ = ["Trouble", "asks_for_events", "newest", "trouble"]

_PATIENCE = timedelta(minutes=1)


def trouble(
    deployment: Object, pods: Sequence[Object], events: Sequence[Object] = (), agent: Object | None = None
) -> Trouble | None:
    """What keeps a user's notebook from running; None where it is only a matter of JupyterLab's own start.

    `pods` are the user's, of both components; `agent` is the Deployment of the user's own agent, where there is one.
    """
    notebook = _of_part(NOTEBOOK, deployment, pods, events)
    if notebook:
        return notebook
    carrying = _of_part(AGENT, agent, pods, events)
    serves = any(_is_ready(pod) for pod in _of_component(NOTEBOOK, pods))
    return carrying if carrying and (serves or carrying.refused) else None


def newest(pods: Sequence[Object]) -> Object | None:
    """Of a user's pods the notebook's: the one that Events are asked for."""
    return _newest_living(_of_component(NOTEBOOK, pods))


def asks_for_events(pods: Sequence[Object], now: datetime) -> bool:
    """Whether the newest pod has had a machine for a while without a container that runs: Events may say why."""
    pod = newest(pods)
    if pod is None or has_started(pod):
        return False
    scheduled = _condition(pod, "PodScheduled")
    # The time may be null: Kubernetes asks for none.
    since = scheduled.get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]
    return scheduled.get("status") == "True" and now - facts.moment(since) > _PATIENCE


def _of_part(
    part: Part, deployment: Object | None, pods: Sequence[Object], events: Sequence[Object]
) -> Trouble | None:
    own = _of_component(part, pods)
    if any(_is_ready(pod) for pod in own):
        return None
    if pod := _newest_living(own):
        return _of_pod(part, pod, events)
    if deployment and (refused := _refusal(deployment)):
        return refused if part == NOTEBOOK else replace(refused, message=f"The agent has no pod. {refused.message}")
    if own:
        return _of_ended(part, max(own, key=facts.created_at))
    return Trouble("NoPod", f"Kubernetes has not made {part.own} pod yet.") if deployment else None


def _of_component(part: Part, pods: Sequence[Object]) -> list[Object]:
    return [pod for pod in pods if facts.component(pod) == part.component]


def _newest_living(pods: Sequence[Object]) -> Object | None:
    living = [pod for pod in pods if not _is_ending(pod) and _status(pod).get("phase") not in ("Failed", "Succeeded")]
    return max(living, key=facts.created_at, default=None)


def _refusal(deployment: Object) -> Trouble | None:
    """Why Kubernetes makes no pod, or no ReplicaSet that could make one."""
    generation = facts.generation(deployment)
    if _status(deployment).get("observedGeneration", generation) < generation:
        # What the conditions say is of an earlier version, and may have been mended in this one.
        return None
    failure, progress = _condition(deployment, "ReplicaFailure"), _condition(deployment, "Progressing")
    if failure.get("status") == "True" and failure.get("reason") == "FailedCreate":
        return refusal_of_message(failure.get("message", ""))
    if progress.get("status") == "False" and progress.get("reason") == "ReplicaSetCreateError":
        return refusal_of_message(progress.get("message", ""))
    return None


def _of_pod(part: Part, pod: Object, events: Sequence[Object]) -> Trouble | None:
    if found := container_trouble(part, pod):
        return found
    if has_started(pod):
        return None
    return _of_scheduling(part, pod) or _of_events(part, pod, events) or _preparing(part, pod)


def _of_scheduling(part: Part, pod: Object) -> Trouble | None:
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "True" or _status(pod).get("containerStatuses"):
        return None
    message = scheduled.get("message", "")
    if missing := _CLAIM.search(message):
        name, what = missing.groups()
        return Trouble(
            "StorageMissing",
            f"{capital(part.own)} storage {_CLAIM_WORDS[what]} (PersistentVolumeClaim {name}), and it cannot start "
            "without. An administrator should find out why.",
        )
    if _UNBOUND.search(message):
        return Trouble(
            "WaitingForStorage",
            f"Waiting for {part.own} storage to be made. If this takes more than a few minutes, an administrator "
            "should look at the StorageClass and the PersistentVolumeClaim.",
        )
    if scheduled.get("reason") == "Unschedulable":
        waits = "Waiting" if part == NOTEBOOK else "The agent is waiting"
        return Trouble("WaitingForNode", f"{waits} for a machine with room; adding one usually takes a few minutes.")
    says = f" Kubernetes says: {said(message)}" if message else ""
    return Trouble(
        "NotScheduled",
        f"Kubernetes has not given {part.own} pod a machine yet; where storage is new, that is made first.{says}",
    )


def _of_events(part: Part, pod: Object, events: Sequence[Object]) -> Trouble | None:
    about = [event for event in events if event.get("reason") in _EVENTS and _is_warning_of(pod, event)]
    # That not all is mounted in time follows from what another Event says.
    telling = [event for event in about if not _summary(event).startswith("Unable to attach or mount")] or about
    if not telling:
        return None
    newest = max(telling, key=_time)
    says = f"Kubernetes says: {said(_summary(newest))}"
    own = capital(part.own)
    if newest["reason"] == "FailedCreatePodSandBox":
        return Trouble("FailedCreatePodSandBox", f"{own} machine could not set up the pod; it is tried again. {says}")
    if "Multi-Attach error" in _summary(newest):
        return Trouble(
            "StorageNotAttached",
            f"{own} storage is still attached to another machine, which can last some minutes. {says}",
        )
    return Trouble("StorageNotAttached", f"A volume of {part.own} pod could not be attached yet. {says}")


def _preparing(part: Part, pod: Object) -> Trouble:
    waiting = (each.get("state", {}).get("waiting", {}) for each in _status(pod).get("containerStatuses", []))
    message = next((each["message"] for each in waiting if each.get("message")), "")
    says = f" Kubernetes says: {said(message)}" if message else ""
    return Trouble(
        "ContainerCreating",
        f"{capital(part.own)} container is being made: storage is attached and the image is fetched.{says}",
    )


def _of_ended(part: Part, pod: Object) -> Trouble:
    """Of a pod that has failed or is being deleted, and has no successor yet."""
    status, disruption = _status(pod), _condition(pod, "DisruptionTarget")
    own, anew = capital(part.own), "It starts anew on another machine."
    says = f" Kubernetes says: {said(status['message'])}" if status.get("message") else ""
    if status.get("reason") == "Evicted":
        return Trouble("Evicted", f"{own} pod had to leave its machine. {anew}{says}")
    if disruption.get("status") == "True":
        if disruption.get("reason") == "PreemptionByScheduler":
            return Trouble("Preempted", f"{own} pod had to give its place to a more important one. {anew}")
        why = _DISRUPTIONS.get(disruption.get("reason", ""), "had to leave its machine")
        return Trouble("Evicted", f"{own} pod {why}. {anew}{says}")
    if _is_ending(pod):
        return Trouble("Ending", f"{own} pod from before is still ending; the next is made after that.")
    return Trouble("PodFailed", f"{own} pod has ended and is made anew.{says}")


def _status(obj: Object) -> dict[str, Any]:
    found: dict[str, Any] = obj.get("status", {})
    return found


def _condition(obj: Object, kind: str) -> dict[str, Any]:
    """The condition of this type; empty where there is none."""
    return next((each for each in _status(obj).get("conditions", []) if each["type"] == kind), {})


def _is_ready(pod: Object) -> bool:
    return _condition(pod, "Ready").get("status") == "True" and not _is_ending(pod)


def _is_ending(pod: Object) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def _is_warning_of(pod: Object, event: Object) -> bool:
    about, meta = event.get("involvedObject", {}), pod["metadata"]
    return event.get("type") == "Warning" and (about.get("uid") or about.get("name")) in (
        meta.get("uid"),
        meta["name"],
    )


def _summary(event: Object) -> str:
    return str(event.get("message") or "")


def _time(event: Object) -> datetime:
    """When it happened last; which field says so depends on who wrote it."""
    series = event.get("series") or {}
    moments = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return facts.moment(next(filter(None, moments), None) or event["metadata"]["creationTimestamp"])


_EVENTS = ("FailedAttachVolume", "FailedMount", "FailedCreatePodSandBox")
_CLAIM = re.compile(r'persistentvolumeclaim "([^"]+)" (not found|is being deleted|bound to non-existent)')
"""The scheduler's words: k8s.io/kubernetes, pkg/scheduler/framework/plugins/volumebinding."""
_CLAIM_WORDS = {
    "not found": "is missing",
    "is being deleted": "is being deleted",
    "bound to non-existent": "has lost its disk",
}
_UNBOUND = re.compile(r'unbound immediate PersistentVolumeClaims|binding volumes|storageclass\S* "[^"]+" not found')
_DISRUPTIONS = {
    "EvictionByEvictionAPI": "was asked to leave its machine, which is being emptied",
    "DeletionByTaintManager": "had to leave its machine, which is out of order or closed",
    "DeletionByPodGC": "is gone with its machine",
    "TerminationByKubelet": "was ended by its machine, which was short of something or shut down",
}
"""k8s.io/api, core/v1, and the controllers that set the condition `DisruptionTarget`."""
