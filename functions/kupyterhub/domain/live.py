"""Facts read from live Kubernetes objects; an object is the plain dict that the API server answers."""

from datetime import datetime
from typing import Any

from kupyterhub.domain.labels import (
    APPLIED,
    COMPONENT,
    EMAIL,
    INSTANCE,
    RESTARTED_AT,
    TEMPLATE,
    TOKEN,
    USER,
    USER_HASH,
)
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


def key(obj: Object) -> str:
    """What it is among the objects of its user, such as `Deployment agent`: for each there is one name."""
    name = obj["metadata"]["name"].removesuffix(f"-{instance(obj)}")
    return f"{obj['kind']} {name}"


def user(live: Object) -> str | None:
    """Id of the document that the object is for; None where annotation and label do not agree on one."""
    found: str | None = live["metadata"].get("annotations", {}).get(USER)
    return found if found is not None and is_of(live, found) else None


def owner(live: Object) -> str | None:
    """The hash of the document's id that it is for (`names.user_hash`); None for what is nobody's own."""
    found: str | None = live["metadata"].get("labels", {}).get(USER_HASH)
    return found


def is_ending(live: Object) -> bool:
    """Whether the object is being deleted: a notebook's Deployment, for as long as one of its pods is there."""
    return "deletionTimestamp" in live["metadata"]


def applied(live: Object) -> dict[str, str] | None:
    """The hashes of the user's other objects that the notebook's Deployment bears, by their keys; None where none."""
    text = live["metadata"].get("annotations", {}).get(APPLIED)
    if text is None:
        return None
    return dict(part.rsplit("=", 1) for part in text.split(",") if "=" in part)


def template_annotation(live: Object, name: str) -> str | None:
    """What the pods of a Deployment were started with."""
    found: str | None = live["spec"]["template"]["metadata"].get("annotations", {}).get(name)
    return found


def account_of(live: Object) -> str | None:
    """The ServiceAccount of a Deployment's pods."""
    found: str | None = live["spec"]["template"]["spec"].get("serviceAccountName")
    return found


def is_of(live: Object, document: str) -> bool:
    """Whether the object belongs to this document."""
    return owner(live) == user_hash(document)


def is_marked(live: Object, manifest: Object) -> bool:
    """Whether the object has the labels and annotations of the manifest, whatever else it has."""
    return all(
        manifest["metadata"].get(part, {}).items() <= live["metadata"].get(part, {}).items()
        for part in ("labels", "annotations")
    )


def template_of(live: Object) -> str | None:
    """The hash of the template that the Deployment was last given."""
    template: str | None = live["metadata"].get("annotations", {}).get(TEMPLATE)
    return template


def token_hash(live: Object) -> str | None:
    """The hash of the token that the Deployment's pods were started with."""
    return template_annotation(live, TOKEN)


def started_at(live: Object) -> datetime:
    """When what runs was started: the Deployment made, or restarted."""
    return max(created_at(live), restarted_at(live) or created_at(live))


def restarted_at(live: Object) -> datetime | None:
    """The restart that the Deployment's template was made by; None where it was made by its first start."""
    try:
        mark = moment(template_annotation(live, RESTARTED_AT) or "")
    except ValueError:  # somebody else's writing
        return None
    return mark if mark.tzinfo else None


def version(live: Object) -> str:
    """Changes with every change of the object."""
    return str(live["metadata"]["resourceVersion"])


def generation(live: Object | None) -> int:
    """Counts changes of `spec`; 0 where there is no object."""
    return int(live["metadata"].get("generation", 0)) if live else 0


def has_no_pods(live: Object) -> bool:
    """Whether somebody has scaled the Deployment to nothing: then nobody's kernel is in it."""
    return bool(live.get("spec", {}).get("replicas", 1) == 0)


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
