"""The Kubernetes objects that should exist for a user who should run, and what of them is not so yet."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from kupyterhub.domain import live as facts
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.labels import APPLIED, TEMPLATE
from kupyterhub.domain.lifetimes import Lifetime
from kupyterhub.domain.live import Object
from kupyterhub.domain.manifests import agent, jupyterlab
from kupyterhub.domain.names import token as token_of
from kupyterhub.domain.policy import Wanted
from kupyterhub.domain.users import UserDocument
from kupyterhub_rules.stored import rfc3339

KEYS = (
    "Deployment agent",
    "Service jupyterlab",
    "Secret jupyterlab",
    "ServiceAccount notebook",
    "ServiceAccount agent",
    "NetworkPolicy agent",
)
"""All that a user can have beside the notebook's Deployment and the storage."""
NOTEBOOK = "Deployment jupyterlab"
KINDS = tuple(dict.fromkeys(key.split()[0] for key in (NOTEBOOK, *KEYS)))
"""Of all of these."""
AGENT_KEYS = tuple(key for key in KEYS if key.endswith(f" {agent.PREFIX}"))
"""Of a person's own agent."""


@dataclass(frozen=True)
class Piece:
    """One of the user's objects beside the notebook's Deployment, which bears its hash once it was applied."""

    key: str
    manifest: Object
    hash: str


class Change(Enum):
    """What has to be done to the notebook's Deployment."""

    NOTHING = "nothing"
    CREATE = "create"
    ANNOTATE = "annotate"
    """Its labels and annotations: its pod is not touched."""
    APPLY = "apply"


@dataclass(frozen=True)
class Desired:
    """What should be there; the notebook's Deployment comes last, so that it says what was applied before it."""

    pieces: tuple[Piece, ...]
    stale: tuple[Piece, ...]
    """Those that are not there, or not so, as far as the notebook's Deployment says."""
    notebook: Object
    change: Change
    gone: tuple[str, ...]
    """Keys of what is there, as the Deployment says, and should not be."""
    storage: bool
    """Whether it may be missing, or smaller than it should be: before a start, and where something was changed."""
    waits: bool
    """A change of the template waits for the next start."""
    mends: tuple[Piece, ...] = ()
    """What waits with it, and is put right before only where others have changed it or taken it away."""

    def thoroughly(self) -> "Desired":
        """The same, where nothing that was noted is to be relied on: somebody else may have changed anything."""
        unsure = {Change.NOTHING: Change.ANNOTATE if self.waits else Change.APPLY}
        there = facts.applied(self.notebook) or {}
        metadata = self.notebook["metadata"]
        # What is mended has what waits in it: once that does not wait any more, nobody knows which it has.
        noting = _noting(there | {piece.key: "" for piece in self.mends})
        return replace(
            self,
            notebook={**self.notebook, "metadata": {**metadata, "annotations": metadata["annotations"] | noting}},
            stale=self.pieces,
            storage=not self.waits,
            change=unsure.get(self.change, self.change),
            gone=tuple(key for key in KEYS if key not in there),
        )


def desired(
    user: UserDocument,
    wanted: Wanted,
    live: Object | None,
    installation: Installation,
    keep: Collection[str] = (),
) -> Desired:
    """Compute a user's objects from the document, the settings and the live notebook Deployment.

    What has a key of `keep` stays as it is, though it should not be there.

    A running notebook is never restarted by a change: its template and its token wait together, until a
    restart is asked for that is newer than the live template.
    """
    settings = installation.settings
    token = token_of(installation.master_secret, wanted.name)
    mark = _mark(user, live)
    notebook = jupyterlab.deployment(user, wanted, token, rfc3339(mark) if mark else None, settings.bucket.name)
    changes = live is not None and facts.template_of(live) != notebook["metadata"]["annotations"][TEMPLATE]
    restarts = live is not None and mark != facts.restarted_at(live)
    waits = live is not None and changes and not restarts and not facts.has_no_pods(live)
    before = (facts.applied(live) or dict.fromkeys(KEYS, "")) if live else {}
    # What else somebody writes there is nothing to take away.
    before = {key: of for key, of in before.items() if key in KEYS}
    lifetime = Lifetime.of_live(live if waits else None, wanted.profile)
    secret = _piece(jupyterlab.secret(user, wanted, token), wanted)
    # The pods that run, and their agent, go on with the token that they have.
    token_waits = live is not None and waits and facts.token_hash(live) != facts.token_hash(notebook)
    own_account, own_agent = _needs_account(wanted, live if waits else None), settings.agent == "per-user"
    pieces = (
        *((_piece(jupyterlab.account(user, wanted), wanted),) if own_account else ()),
        *(() if token_waits else (secret,)),
        _piece(jupyterlab.service(user, wanted, lifetime), wanted),
        *((_piece(agent.account(user, wanted), wanted),) if own_agent else ()),
        *((_piece(agent.network_policy(user, wanted), wanted),) if own_agent else ()),
        *((_piece(agent.deployment(user, wanted, lifetime, installation), wanted),) if own_agent else ()),
    )
    kept = (*keep, *((secret.key,) if token_waits else ()))
    there = {piece.key: piece.hash for piece in pieces} | {key: before[key] for key in kept if key in before}
    notebook["metadata"]["annotations"] |= _noting(there)
    if live and waits:
        notebook["metadata"]["annotations"] |= {TEMPLATE: facts.template_of(live)}
    acted_on = (user.status.observed, user.status.settings) == (user.observed, installation.hash)
    return Desired(
        pieces=pieces,
        stale=tuple(piece for piece in pieces if before.get(piece.key) != piece.hash),
        notebook=notebook,
        change=_change(notebook, live, template=restarts or (changes and not waits)),
        gone=tuple(key for key in before if key not in there),
        # What waits may be other storage, which this notebook does not use yet.
        storage=not waits and (live is None or changes or not acted_on),
        waits=waits,
        mends=(secret,) if token_waits else (),
    )


def needed(wanted: Wanted, agent_mode: str) -> set[str]:
    """Keys of what somebody who runs has at least, and at most but for what waits."""
    accounts = {"ServiceAccount notebook"} if _needs_account(wanted, None) else set()
    own_agent = AGENT_KEYS if agent_mode == "per-user" else ()
    return {NOTEBOOK, "Service jupyterlab", "Secret jupyterlab", *accounts, *own_agent}


def _mark(user: UserDocument, live: Object | None) -> datetime | None:
    """The newest restart: the live template's, or one that was asked for since the document has its e-mail.

    Who takes a name over takes over what runs, with whatever restarts it had elsewhere.
    """
    asked, since = user.status.restartedAt, user.status.emailSince
    own = asked if asked and since and asked >= since else None
    return max((mark for mark in (own, facts.restarted_at(live) if live else None) if mark), default=None)


def _needs_account(wanted: Wanted, running: Object | None) -> bool:
    """Whether the notebook runs as a ServiceAccount of its own: for storage that is granted to it."""
    own = f"notebook-{wanted.name}"
    return wanted.profile.storage.kind == "gcs" or (running is not None and facts.account_of(running) == own)


def _piece(manifest: Object, wanted: Wanted) -> Piece:
    name = manifest["metadata"]["name"].removesuffix(f"-{wanted.name}")
    text = json.dumps(manifest, sort_keys=True)
    return Piece(f"{manifest['kind']} {name}", manifest, hashlib.sha256(text.encode()).hexdigest()[:8])


def _noting(there: Mapping[str, str]) -> dict[str, str]:
    return {APPLIED: ",".join(f"{key}={of}" for key, of in sorted(there.items()))}


def _change(notebook: Object, live: Object | None, *, template: bool) -> Change:
    if live is None:
        return Change.CREATE
    if template:
        return Change.APPLY
    return Change.NOTHING if facts.is_marked(live, notebook) else Change.ANNOTATE
