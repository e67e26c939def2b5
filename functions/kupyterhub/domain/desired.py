"""The Kubernetes objects that should exist for a user who should run."""

from dataclasses import dataclass
from datetime import datetime

from kupyterhub.domain import live as facts
from kupyterhub.domain.labels import TEMPLATE
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests import agent, jupyterlab, storage
from kupyterhub.domain.names import token as token_of
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument, rfc3339


@dataclass(frozen=True)
class Desired:
    """What to create if absent, and what to apply, in order; the notebook's Deployment is kept apart."""

    storage: Object | None
    """None: the Deployment is there, and its storage was made before it."""
    before: tuple[Object, ...]
    notebook: Object | None
    """None: a change of the template waits for the next start."""
    after: tuple[Object, ...]


def desired(
    user: UserDocument, wanted: Wanted, live: Object | None, settings: Settings, master_secret: bytes
) -> Desired:
    """Compute a user's objects from the document, the settings and the live notebook Deployment.

    A running notebook is never restarted by a change: its template and its token wait together, until a
    restart is asked for that is newer than the live template.
    """
    token = token_of(master_secret, wanted.name)
    mark = _newest(user.status.restartedAt, facts.restarted_at(live) if live else None)
    notebook = jupyterlab.deployment(user, wanted, token, rfc3339(mark) if mark else None)
    waits = (
        live is not None
        and facts.template_of(live) != notebook["metadata"]["annotations"][TEMPLATE]
        and mark == facts.restarted_at(live)
    )
    return Desired(
        storage=None if live else storage.claim(user, wanted),
        before=(
            jupyterlab.account(user, wanted),
            agent.account(user, wanted),
            *(() if waits else (jupyterlab.secret(user, wanted, token),)),
        ),
        notebook=None if waits else notebook,
        after=(jupyterlab.service(user, wanted), agent.deployment(user, wanted, settings)),
    )


def _newest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)
