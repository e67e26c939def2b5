"""What the controller writes of a person on their Service and into their Secret; pure but for a warning."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from yarl import URL

from kupyterhub_agent.activity import ActivityRules
from kupyterhub_agent.person import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kupyterhub_agent.directory.api import Object

SELECTOR = "app.kubernetes.io/managed-by=kupyterhub,app.kubernetes.io/component=jupyterlab"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Introduction:
    """A person, as their Service says."""

    name: str
    user: str
    email: str
    backend: URL
    activity: ActivityRules

    def person(self, token: Callable[[], str]) -> Person:
        """Make them somebody who can be served."""
        return Person(self.name, self.user, self.email, self.backend, token, self.activity)


def introduction(service: Object) -> Introduction | None:
    """Read a Service `jupyterlab-<name>`; None where it does not say who it is for."""
    metadata = service["metadata"]
    annotations = metadata.get("annotations", {})
    try:
        return Introduction(
            name=metadata["labels"]["app.kubernetes.io/instance"],
            user=annotations["kupyterhub/user"],
            email=annotations["kupyterhub/email"],
            backend=URL(f"http://{metadata['name']}:{service['spec']['ports'][0]['port']}"),
            activity=_activity(metadata["name"], annotations),
        )
    except (KeyError, IndexError) as error:
        log.warning("the Service %s lacks %s, so its person is not served", metadata["name"], error)
        return None


def token(secret: Object) -> str | None:
    """Read a Secret `jupyterlab-<name>`; None where it holds no token."""
    try:
        return base64.b64decode(secret["data"]["token"]).decode("ascii")
    except (KeyError, binascii.Error, UnicodeDecodeError):
        log.warning("the Secret %s holds no token, so its person is not served", secret["metadata"]["name"])
        return None


def _activity(service: str, annotations: Mapping[str, str]) -> ActivityRules:
    try:
        return ActivityRules.parse(annotations.get("kupyterhub/idle-timeout"), annotations.get("kupyterhub/activity"))
    except ValueError as error:
        log.warning("the Service %s: %s; its person is never found to be idle", service, error)
        return ActivityRules()
