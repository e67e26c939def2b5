"""Facts read from live Kubernetes objects; an object is the plain dict that the API server answers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kupyterhub.domain.labels import COMPONENT, EMAIL, INSTANCE, RESTARTED_AT, TEMPLATE, TOKEN, USER_HASH
from kupyterhub.domain.names import user_hash

Object = dict[str, Any]


def moment(text: str) -> datetime:
    """A Kubernetes timestamp, whole seconds of UTC."""
    return datetime.fromisoformat(text)


def created_at(live: Object) -> datetime:
    """When the object was made: the start of the notebook, in the API server's time."""
    return moment(live["metadata"]["creationTimestamp"])


def instance(live: Object) -> str:
    """Base name of the user that the object is for."""
    return str(live["metadata"].get("labels", {}).get(INSTANCE, ""))


def component(live: Object) -> str:
    """What of the user's it is a part of: `jupyterlab` or `agent`."""
    return str(live["metadata"].get("labels", {}).get(COMPONENT, ""))


def email(live: Object) -> str | None:
    """E-mail of the user that the object is for."""
    found: str | None = live["metadata"].get("annotations", {}).get(EMAIL)
    return found


def is_of(live: Object, document: str) -> bool:
    """Whether the object belongs to this document."""
    return bool(live["metadata"].get("labels", {}).get(USER_HASH) == user_hash(document))


def template_of(live: Object) -> str | None:
    """The hash of the template that the Deployment was last given."""
    template: str | None = live["metadata"].get("annotations", {}).get(TEMPLATE)
    return template


def token_hash(live: Object) -> str | None:
    """The hash of the token that the Deployment's pods were started with."""
    found: str | None = live["spec"]["template"]["metadata"].get("annotations", {}).get(TOKEN)
    return found


def restarted_at(live: Object) -> datetime | None:
    """The restart that the Deployment's template was made by; None where it was made by its first start."""
    mark = live["spec"]["template"]["metadata"].get("annotations", {}).get(RESTARTED_AT)
    return datetime.fromisoformat(mark) if mark else None


def generation(live: Object | None) -> int:
    """Counts changes of `spec`; 0 where there is no object."""
    return int(live["metadata"].get("generation", 0)) if live else 0


def unavailable_since(live: Object) -> datetime | None:
    """When the condition `Available` turned False; None while it is True or not yet known."""
    for condition in live.get("status", {}).get("conditions", []):
        if condition["type"] == "Available" and condition["status"] == "False":
            return moment(condition["lastTransitionTime"])
    return None


def is_available(live: Object | None) -> bool:
    """Whether the Deployment has all the pods that it needs; one that is not there has none."""
    conditions = live.get("status", {}).get("conditions", []) if live else []
    return any(each["type"] == "Available" and each["status"] == "True" for each in conditions)


@dataclass(frozen=True)
class Trouble:
    """Why a notebook does not run yet, in a CamelCase word and a sentence for people."""

    reason: str
    message: str


_WAITING = {
    "ErrImagePull": "Its image cannot be fetched. An administrator should check the image's name and access.",
    "ImagePullBackOff": "Its image cannot be fetched. An administrator should check the image's name and access.",
    "InvalidImageName": "The name of its image is not valid. An administrator should check the profile.",
    "CrashLoopBackOff": "JupyterLab ends right after its start and is started again and again. Its log says why.",
    "CreateContainerConfigError": "Something that its container needs is missing. An administrator should look.",
}


def trouble(pods: list[Object]) -> Trouble | None:
    """What keeps the newest pod from running, if Kubernetes says."""
    newest = max(pods, key=created_at, default=None)
    if newest is None:
        return None
    status = newest.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition.get("reason") == "Unschedulable":
            return Trouble(
                "WaitingForNode", "Waiting for a machine with room; adding one usually takes a few minutes."
            )
    for container in status.get("containerStatuses", []):
        reason = container.get("state", {}).get("waiting", {}).get("reason")
        if reason in _WAITING:
            return Trouble(reason, _WAITING[reason])
    return None
