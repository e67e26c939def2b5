"""Labels and annotations: how the objects of a user, of a document and of this controller are found again."""

from typing import Any

from kupyterhub.domain.names import user_hash
from kupyterhub.domain.users import UserDocument

MANAGER = "kupyterhub"
MANAGED = f"app.kubernetes.io/managed-by={MANAGER}"
INSTANCE = "app.kubernetes.io/instance"
COMPONENT = "app.kubernetes.io/component"
USER_HASH = "kupyterhub/user-hash"
KEEP = "kupyterhub/keep"
USER = "kupyterhub/user"
EMAIL = "kupyterhub/email"
TEMPLATE = "kupyterhub/template"
TOKEN = "kupyterhub/token-hash"  # noqa: S105 - an annotation's name
RESTARTED_AT = "kupyterhub/restarted-at"
APPLIED = "kupyterhub/applied"
"""On a notebook's Deployment: a hash of each of the user's other objects, as they were last applied."""
IDLE_TIMEOUT = "kupyterhub/idle-timeout"
ACTIVITY = "kupyterhub/activity"
MAX_AGE = "kupyterhub/max-age"
BUCKET = "kupyterhub/bucket"
EGRESS = "kupyterhub/egress"
REACHES = "kupyterhub/reaches"
SHARED = "shared"
"""The `instance` of what is there once for everybody; no base name is without its hash."""


def selector(component: str, name: str) -> dict[str, str]:
    """Labels that never change in the life of an object: what Deployments and Services select by."""
    return {INSTANCE: name, COMPONENT: component}


def pod_labels(component: str, name: str) -> dict[str, str]:
    """A pod's labels: nothing of the document, so that another document with this e-mail restarts nothing."""
    return {
        "app.kubernetes.io/name": component,
        **selector(component, name),
        "app.kubernetes.io/part-of": MANAGER,
        "app.kubernetes.io/managed-by": MANAGER,
    }


def metadata(prefix: str, component: str, user: UserDocument, email: str, name: str) -> dict[str, Any]:
    """`metadata` of one of the user's objects, named `<prefix>-<name>`."""
    return {
        "name": f"{prefix}-{name}",
        "labels": {**pod_labels(component, name), USER_HASH: user_hash(user.id)},
        "annotations": {EMAIL: email, USER: user.id},
    }


def of_user(document: str) -> str:
    """The label selector of one document's objects, storage left out."""
    return f"{MANAGED},{USER_HASH}={user_hash(document)},!{KEEP}"


def of_name(name: str) -> str:
    """The label selector of one user's objects, whatever document they belong to."""
    return f"{MANAGED},{INSTANCE}={name}"


def of_shared(component: str) -> str:
    """The label selector of what is there once for everybody."""
    return f"{MANAGED},{INSTANCE}={SHARED},{COMPONENT}={component}"
