"""What must be so at the end: the cluster is what the documents say, and every status is true."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from histories.stage import Stage
from kupyterhub.domain import live as facts
from kupyterhub.domain.desired import KINDS, NOTEBOOK, Desired, desired
from kupyterhub.domain.live import Object
from kupyterhub.domain.phases import WAITS
from kupyterhub.domain.policy import (
    Ended,
    Rejected,
    Stopped,
    Verdict,
    Wanted,
    counts_with,
    duplicate,
    email_of,
    judge,
)
from kupyterhub.domain.urls import user_url
from kupyterhub.domain.users import UserDocument, search_terms
from kupyterhub_rules.names import base_name

_SHARED = ("Deployment agent", "ServiceAccount agent")


@dataclass
class Truth:
    """The end of a history."""

    stage: Stage

    def __post_init__(self) -> None:
        self.now: datetime = self.stage.clock()
        self.claims = self.stage.users.claims()
        self.documents = {user: self.stage.users.peek(user) for user in self.stage.users.ids()}
        self.installation = self.stage.reconciler.installation
        self.objects: dict[str, Object] = {
            f"{kind} {name}": obj
            for (kind, name), obj in self.stage.cluster._objects.items()
            if kind in KINDS and not facts.is_ending(obj)
        }

    def lies(self) -> Iterator[str]:
        """All that is not as it should be, in words."""
        known: set[str] = set()
        for document in self.documents.values():
            verdict = self._verdict(document)
            yield from (f"{document.id}: {lie}" for lie in self._lies_about(document, verdict))
            allowed = self._objects_of(document, verdict)
            known |= allowed
        shared = set(_SHARED) if self.stage.settings.agent == "shared" else set()
        yield from (f"{each} is missing" for each in sorted(shared - self.objects.keys()))
        # Who is left running on it has nothing applied, and so no agent of their own.
        stays = set(_SHARED) if self._left_on_shared() else set()
        yield from (f"{each} is nobody's" for each in sorted(self.objects.keys() - known - shared - stays))
        yield from self._lies_about_claims()
        yield from self._lost_storage()

    def _left_on_shared(self) -> bool:
        names = {key.removeprefix(f"{NOTEBOOK}-") for key in self.objects if key.startswith(NOTEBOOK)}
        return any(f"Deployment agent-{name}" not in self.objects for name in names)

    def _verdict(self, document: UserDocument) -> Verdict:
        """What the document asks for, and whether it may: another may hold its e-mail."""
        verdict = judge(document, self.stage.settings, self.now)
        if isinstance(verdict, Ended | Stopped) or verdict.email is None or _by_policy(verdict):
            return verdict
        holder = self.claims.get(base_name(verdict.email))
        return verdict if holder == document.id else duplicate(verdict.email, str(holder))

    def _lies_about(  # noqa: C901, PLR0912 - a case for each phase
        self, document: UserDocument, verdict: Verdict
    ) -> Iterator[str]:
        status = document.status
        said = (status.phase, status.reason, status.message)
        if status.observed != document.observed:
            yield "observed is not what the document says"
        if status.settings != self.installation.hash:
            yield "settings are not those of now"
        if status.terms != search_terms(email_of(document), document.wishes.display_name):
            yield "terms are not those of now"
        if status.nextLookAt is not None and status.nextLookAt <= self.now:
            yield f"it is due since {status.nextLookAt}"
        match verdict:
            case Ended():
                yield from self._lies_about_one_at_rest(document)
                expired = document.wishes.state != "deleted"
                if said[:2] != ("Deleted", "Expired" if expired else None):
                    yield f"ended, but {said}"
                if document.wishes.purge:
                    yield f"the purge is not done: {said}"
            case Stopped():
                yield from self._lies_about_one_at_rest(document)
                if status.phase != "Stopped" or status.reason not in (None, "Idle", "MaxAge"):
                    yield f"stopped, but {said}"
            case Rejected(by_policy=True):
                yield from self._lies_about_one_at_rest(document)
                if said != ("Rejected", verdict.reason, verdict.message):
                    yield f"rejected because {verdict.message}, but {said}"
                if verdict.reason == "DuplicateEmail":
                    yield from self._lies_about_a_duplicate(verdict.email or "")
            case Rejected():
                if said[:2] != ("Rejected", verdict.reason) or not str(said[2]).startswith(verdict.message):
                    yield f"rejected because {verdict.message}, but {said}"
                runs = any(key.startswith(NOTEBOOK) for key in self._owned(document))
                if runs != str(said[2]).endswith("What runs is left running."):
                    yield f"{'its notebook' if runs else 'no notebook'} runs, but {said}"
            case Wanted():
                yield from self._lies_about_one_who_runs(document, verdict)

    def _lies_about_one_at_rest(self, document: UserDocument) -> Iterator[str]:
        status = document.status
        if status.agent or status.startedAt or status.proxyUrl:
            yield f"nothing runs, but {status}"

    def _lies_about_a_duplicate(self, email: str) -> Iterator[str]:
        holder = self.documents.get(self.claims.get(base_name(email), ""))
        if holder is None or not counts_with(holder, email, self.now):
            yield f"nobody who counts holds {email}"

    def _lies_about_one_who_runs(self, document: UserDocument, wanted: Wanted) -> Iterator[str]:
        status = document.status
        live = self.objects.get(f"Deployment jupyterlab-{wanted.name}")
        if live is None:
            yield f"nothing runs, but {status}"
            return
        plan = desired(document, wanted, live, self.installation)
        message = WAITS if plan.waits else None
        said = (status.phase, status.reason, status.message, status.proxyUrl)
        if said != ("Ready", None, message, user_url(self.stage.settings, wanted.name)):
            yield f"it runs, but {said}"
        if (status.email, status.name) != (wanted.email, wanted.name):
            yield f"it is {wanted.name}, but {status.name} of {status.email}"
        if status.startedAt != facts.created_at(live):
            yield f"it started at {facts.created_at(live)}, but {status.startedAt}"
        if document.wishes.restart:
            yield "the restart is not done"
        if f"home-{wanted.name}" not in self.stage.cluster.names("PersistentVolumeClaim"):
            yield "its storage is missing"
        yield from self._lies_about_objects(plan)

    def _lies_about_objects(self, plan: Desired) -> Iterator[str]:
        notebook = (
            {key: value for key, value in plan.notebook.items() if key != "spec"} if plan.waits else plan.notebook
        )
        for manifest in (*(piece.manifest for piece in plan.pieces), notebook):
            key = f"{manifest['kind']} {manifest['metadata']['name']}"
            if key not in self.objects:
                yield f"{key} is missing"
            elif other := list(_others(self.objects[key], manifest)):
                yield f"{key} is other than stated: {', '.join(other)}"

    def _objects_of(self, document: UserDocument, verdict: Verdict) -> set[str]:
        """Objects that may be there because of a document."""
        if isinstance(verdict, Rejected) and not verdict.by_policy:
            return self._owned(document)
        if not isinstance(verdict, Wanted):
            return set()
        live = self.objects.get(f"Deployment jupyterlab-{verdict.name}")
        plan = desired(document, verdict, live, self.installation)
        own = [_key(piece.manifest) for piece in plan.pieces]
        kept = [f"Secret jupyterlab-{verdict.name}"] if plan.waits else []
        return {*own, *kept, f"{NOTEBOOK}-{verdict.name}"}

    def _owned(self, document: UserDocument) -> set[str]:
        return {key for key, obj in self.objects.items() if facts.is_of(obj, document.id)}

    def _lies_about_claims(self) -> Iterator[str]:
        for name, user in self.claims.items():
            holder = self.documents.get(user)
            if user and (holder is None or base_name(email_of(holder) or "") != name):
                yield f"{name} is held by {user}, whose it is not"
            elif holder and not counts_with(holder, email_of(holder) or "", self.now):
                yield f"{name} is held by {user}, who does not count"

    def _lost_storage(self) -> Iterator[str]:
        there = set(self.stage.cluster.names("PersistentVolumeClaim"))
        kept = {claim for claim in self.stage.cluster.claims_ever if claim.removeprefix("home-") not in self._purged}
        yield from (f"{claim} is lost" for claim in sorted(kept - there))

    @property
    def _purged(self) -> set[str]:
        return self.stage.watch.purges


def _by_policy(verdict: Verdict) -> bool:
    return isinstance(verdict, Rejected) and verdict.by_policy


def _key(manifest: Object) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def _others(live: Any, stated: Any, path: str = "") -> Iterator[str]:
    """Paths of what is stated and is not so."""
    if isinstance(stated, dict) and isinstance(live, dict):
        for key, value in stated.items():
            yield from _others(live.get(key), value, f"{path}.{key}" if path else key)
    elif live != stated:
        yield path
