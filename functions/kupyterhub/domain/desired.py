"""The Kubernetes objects that should exist for a user who should run."""

from dataclasses import dataclass
from datetime import datetime

from kupyterhub.domain import live as facts
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.labels import TEMPLATE
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests import agent, jupyterlab
from kupyterhub.domain.names import token as token_of
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.users import UserDocument, rfc3339


@dataclass(frozen=True)
class Desired:
    """What to create if absent, and what to apply, in order; the notebook's Deployment is kept apart."""

    storage: bool
    """Whether it may be missing, or smaller than it should be: before a start, and where something was changed."""
    before: tuple[Object, ...]
    notebook: Object | None
    """None: a change of the template waits, and there is nothing else to change about it."""
    after: tuple[Object, ...]
    waits: bool
    """A change of the template waits for the next start."""


def desired(user: UserDocument, wanted: Wanted, live: Object | None, installation: Installation) -> Desired:
    """Compute a user's objects from the document, the settings and the live notebook Deployment.

    A running notebook is never restarted by a change: its template and its token wait together, until a
    restart is asked for that is newer than the live template.
    """
    token = token_of(installation.master_secret, wanted.name)
    mark = _newest(user.status.restartedAt, facts.restarted_at(live) if live else None)
    settings = installation.settings
    notebook = jupyterlab.deployment(user, wanted, token, rfc3339(mark) if mark else None, settings.bucket.name)
    changes = live is not None and facts.template_of(live) != notebook["metadata"]["annotations"][TEMPLATE]
    waits = live is not None and changes and mark == facts.restarted_at(live)
    acted_on = (user.status.observed, user.status.settings) == (user.observed, settings.hash)
    takes_over = live is not None and not facts.is_of(live, user.id)
    secret = jupyterlab.secret(user, wanted, token)
    own_agent = settings.agent == "per-user"
    same_token = live is not None and facts.token_hash(live) == facts.token_hash(notebook)
    return Desired(
        # What waits may be other storage, which this notebook does not use yet.
        storage=not waits and (live is None or changes or not acted_on),
        before=(
            jupyterlab.account(user, wanted),
            *((agent.account(user, wanted),) if own_agent else ()),
            *((secret,) if not waits or (takes_over and same_token) else ()),
        ),
        notebook=notebook if not waits else _taken_over(notebook, live) if live and takes_over else None,
        after=(
            jupyterlab.service(user, wanted),
            *((agent.deployment(user, wanted, installation),) if own_agent else ()),
        ),
        waits=waits,
    )


def _taken_over(notebook: Object, live: Object) -> Object:
    """The notebook that runs, as another document's: its labels change and its pod does not."""
    metadata = notebook["metadata"]
    annotations = {**metadata["annotations"], TEMPLATE: facts.template_of(live)}
    return {**notebook, "metadata": {**metadata, "annotations": annotations}, "spec": live["spec"]}


def _newest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
