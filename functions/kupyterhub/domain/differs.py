"""Which users need a look, by what a listing of the cluster, the claims and the documents say; pure.

What is kept of each object is a few words, and what is the same for many is kept once: everybody fits into memory.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from kupyterhub.domain.claims import Claim, is_purged, still_counts
from kupyterhub.domain.desired import NOTEBOOK, desired, needed
from kupyterhub.domain.drift import covers
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.labels import ACTIVITY, IDLE_TIMEOUT, TEMPLATE
from kupyterhub.domain.live import Object
from kupyterhub.domain.names import user_hash
from kupyterhub.domain.phases import LONGEST, searched
from kupyterhub.domain.policy import Ended, Rejected, Stopped, Verdict, Wanted, duplicate, judge, none_may_run
from kupyterhub.domain.users import Status, UserDocument, search_terms
from kupyterhub_rules.names import base_name

CLAIM = "PersistentVolumeClaim home"
_RUNS = ("Provisioning", "Ready", "Failed", "Rejected")
_URGENT = {"Provisioning": 0, "Failed": 1, "Waiting": 2, "Ready": 3}
_FEW = 5


class Listed(NamedTuple):
    """What is compared of one object."""

    key: str
    name: str
    """Base name of the user that it is for."""
    owner: str | None
    """`user_hash` of the document that it is of."""
    user: str | None
    """Its id, as far as that is known: the hash alone says whose it is."""
    available: bool
    owned: str
    """Which of its fields the controller owns (`drift.owned`): the same for all of one shape."""
    template: str | None = None
    """Of a notebook's Deployment: the hash of the template that it was last given."""


@dataclass(frozen=True)
class Approval:
    """What a resync said of how many people new settings stop (`controller/policy`)."""

    settings: str
    stops: int
    running: int
    given: bool


@dataclass
class Cluster:
    """The objects of everybody, by the document that they are of."""

    by_owner: dict[str, list[Listed]] = field(default_factory=lambda: defaultdict(list))
    storage: set[str] = field(default_factory=set)
    """Base names with a PersistentVolumeClaim."""
    agents: list[Listed] = field(default_factory=list)
    """Deployments alone, of everybody and the shared one."""

    def add(self, obj: Listed) -> None:
        """Take one object in."""
        if obj.key == CLAIM:
            self.storage.add(obj.name)
            return
        if obj.owner is not None:
            self.by_owner[obj.owner].append(obj)
        if obj.key in ("Deployment agent", NOTEBOOK, "Deployment"):
            self.agents.append(obj)


@dataclass(frozen=True)
class Comparison:
    """Users who differ from the cluster, and users whose objects or claims seem to belong to nobody."""

    asking: tuple[str, ...]
    """Those who asked for something that is not done, or hold what is not theirs, or who are due."""
    damaged: tuple[str, ...]
    """Those whose objects are not so."""
    other_settings: tuple[str, ...]
    """Those who were looked at with other settings and differ by nothing else, the most urgent first."""
    strays: tuple[str, ...]
    halted: str | None
    """Why nothing was called a stray: then the listing of documents is not to be trusted."""
    approval: Approval


@dataclass
class Comparing:
    """Everybody, one document after the other, so that none need be kept."""

    cluster: Cluster
    claims: dict[str, Claim]
    installation: Installation
    now: datetime
    _drift: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    _claimed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for claim in self.claims.values():
            self._claimed[claim.user].append(claim.name)

    def compare(self, documents: Iterable[UserDocument]) -> Comparison:
        """Compare the cluster, listed first, with the documents, listed after it."""
        asking: list[str] = []
        damaged: list[str] = []
        others: list[tuple[int, str]] = []
        held: list[str] = []
        strays: list[str] = []
        known: set[str] = set()
        stops = running = 0
        for document in documents:
            known.add(document.id)
            verdict = judge(document, self.installation.settings, self.now)
            objects = self.cluster.by_owner.get(user_hash(document.id), [])
            stopped = stopped_by_settings(document, verdict, self.installation.hash)
            if stopped:  # until it is known how many they stop
                verdict = judge(document, self.installation.settings, self.now, whoever=True)
            running += _may_run(document.status)
            stops += stopped
            # Who was not looked at with these settings is by and by, for they may be many; who is held back is not.
            acted_on = document.status.settings == self.installation.hash
            proven = acted_on or stopped
            if self._runs_wrongly(document, verdict, objects, proven=proven):
                damaged.append(document.id)
            elif self._asks(document, verdict) or (proven and self._is_otherwise(document, verdict)):
                asking.append(document.id)
            elif not acted_on:
                held += [document.id] * stopped
                others.append((_URGENT.get(document.status.phase or "", len(_URGENT)), document.id))
            elif self._has_strays(document, verdict, objects):
                strays.append(document.id)
        owners = {obj.user for each in self.cluster.by_owner.values() for obj in each if obj.user} - known
        lost = {c.user for c in self.claims.values() if c.user and c.user not in known}
        halted = _halted(len(known), len(self.cluster.by_owner))
        approval = Approval(self.installation.hash, stops, running, given=stops <= self._most_stopped(running))
        waiting = set() if approval.given else set(held)
        return Comparison(
            tuple(asking),
            tuple(damaged),
            tuple(user for _, user in sorted(others) if user not in waiting),
            () if halted else tuple(sorted({*strays, *owners, *lost})),
            halted,
            approval,
        )

    def _most_stopped(self, running: int) -> float:
        return max(_FEW, running * self.installation.settings.limits.stopped_by_settings)

    def _asks(self, document: UserDocument, verdict: Verdict) -> bool:
        status, soon = document.status, document.status.nextLookAt
        late = status.phase in ("Provisioning", "Failed") and (soon is None or soon > self.now + LONGEST)
        return late or (soon is not None and soon <= self.now) or _is_asked_for(document, verdict)

    def _is_otherwise(self, document: UserDocument, verdict: Verdict) -> bool:
        """Whether the status, or who holds the name, is not what the document asks for."""
        return _is_judged_otherwise(document.status, verdict) or self._holds_wrongly(document, verdict)

    def _has_strays(self, document: UserDocument, verdict: Verdict, objects: list[Listed]) -> bool:
        """Whether objects or claims of other names name the document."""
        own = base_name(verdict.email) if verdict.email else document.status.name
        claims = [self.claims[name] for name in self._claimed.get(document.id, ())]
        wrongly = any(not still_counts(claim, document, self.now) for claim in claims)
        return wrongly or any(obj.name != own for obj in objects)

    def _holds_wrongly(self, document: UserDocument, verdict: Verdict) -> bool:
        status, email = document.status, verdict.email
        if email is None:
            return False
        claim = self.claims.get(base_name(email))
        other = claim.user if claim and claim.user != document.id else None
        if isinstance(verdict, Stopped):
            # It takes the name when it starts.
            return status.emailSince is not None and (claim is None or other is not None)
        if claim and claim.purging and not is_purged(claim, self.now):
            return True
        if other is None:
            return claim is None or status.reason == "DuplicateEmail" or status.emailSince is None
        return status.message != duplicate(email, other).message and not (claim and claim.purging)

    def _runs_wrongly(self, document: UserDocument, verdict: Verdict, objects: list[Listed], *, proven: bool) -> bool:
        status = document.status
        if none_may_run(verdict) or status.reason == "DuplicateEmail":
            return bool(objects)
        if status.reason in ("Ending", "PurgePending"):
            return False
        if isinstance(verdict, Wanted):
            own = [obj for obj in objects if obj.name == verdict.name]
            return self._lacks(document, verdict, own) or (
                # Who was refused is tried by nextLookAt.
                proven and status.phase != "Failed" and self._changed(document, verdict, own)
            )
        # It says that it runs.
        return status.startedAt is not None and all(obj.key != NOTEBOOK for obj in objects)

    def _lacks(self, document: UserDocument, wanted: Wanted, own: list[Listed]) -> bool:
        """Whether the notebook, or what it is kept on, is gone, or is down without anybody having said so."""
        phase, keys = document.status.phase, {obj.key for obj in own}
        on_disk = wanted.profile.storage.kind == "disk"
        no_disk = on_disk and wanted.name not in self.cluster.storage
        # What waits may be other storage; it is made at the next start.
        gone = NOTEBOOK not in keys or (no_disk and not self._waits(document, wanted, own))
        down = any(obj.key.startswith("Deployment") and not obj.available for obj in own)
        return (gone and phase != "Failed") or (down and phase == "Ready")

    def _changed(self, document: UserDocument, wanted: Wanted, own: list[Listed]) -> bool:
        """Whether others have taken away, added or changed something."""
        there, should = {obj.key for obj in own}, needed(wanted, self.installation.settings.agent)
        drifted = [obj for obj in own if self._drifted(obj, document, wanted)]
        if not drifted and there == should:
            return False
        # What waits may be another account; all else is there in any case.
        if (should ^ there) - {"ServiceAccount notebook"} or not self._waits(document, wanted, own):
            return True
        # What waits is the notebook's template.
        stated = self._stated(document, wanted)
        return any(not covers(obj.owned, _bare(stated[obj.key], obj.key)) for obj in drifted)

    def _waits(self, document: UserDocument, wanted: Wanted, own: list[Listed]) -> bool:
        """Whether what runs is not what is asked for because a change waits: then it is as it was started."""
        notebook = self._stated(document, wanted)[NOTEBOOK]
        template = notebook["metadata"]["annotations"][TEMPLATE]
        return any(obj.key == NOTEBOOK and obj.template != template for obj in own)

    def _drifted(self, obj: Listed, document: UserDocument, wanted: Wanted) -> bool:
        """Whether somebody else has changed what was stated; which fields these are depends on the profile alone."""
        shape = (obj.key, obj.owned, document.wishes.profile)
        if shape not in self._drift:
            stated = self._stated(document, wanted)
            self._drift[shape] = obj.key in stated and not covers(obj.owned, stated[obj.key])
        return self._drift[shape]

    def _stated(self, document: UserDocument, wanted: Wanted) -> dict[str, Object]:
        # A restart leaves a mark on what it restarted, and on nothing else.
        unmarked = document.with_status(replace(document.status, restartedAt=None))
        plan = desired(unmarked, wanted, None, self.installation)
        return {NOTEBOOK: plan.notebook, **{piece.key: piece.manifest for piece in plan.pieces}}


def stopped_by_settings(document: UserDocument, verdict: Verdict, settings: str) -> bool:
    """Whether somebody who runs is to be stopped by nothing but other settings than those that were acted on."""
    status = document.status
    return (
        isinstance(verdict, Rejected)
        and verdict.reason == "EmailNotAllowed"
        and _may_run(status)
        and status.observed == document.observed
        and status.settings not in (None, settings)
    )


def _may_run(status: Status) -> bool:
    """Whether something of somebody runs, as far as the status says: of one who starts it does not say since when."""
    return status.phase == "Provisioning" or (status.phase in _RUNS and status.startedAt is not None)


def _bare(manifest: Object, key: str) -> Object:
    """A manifest without what waits: a notebook's spec, and the annotations by which an agent knows it is idle."""
    if key == NOTEBOOK:
        return {name: part for name, part in manifest.items() if name != "spec"}
    meta = manifest["metadata"]
    kept = {name: said for name, said in meta["annotations"].items() if name not in (IDLE_TIMEOUT, ACTIVITY)}
    return {**manifest, "metadata": {**meta, "annotations": kept}}


def _is_asked_for(document: UserDocument, verdict: Verdict) -> bool:
    """Whether the document asks for something that no look has acted on."""
    status, wishes = document.status, document.wishes
    return (
        status.observed != document.observed
        # Who waits for the e-mail restarts nothing until it has it.
        or (wishes.restart and isinstance(verdict, Wanted) and status.reason != "DuplicateEmail")
        or (wishes.purge and isinstance(verdict, Ended))
        or status.terms != search_terms(*searched(document))
    )


def _is_judged_otherwise(status: Status, verdict: Verdict) -> bool:
    """Whether the status says something else than what the document asks for, or names another fault.

    A person may have edited it, and a fault of a field that is acted on once, such as `purge`, is not in `observed`.
    """
    if status.phase == "Failed" or status.reason == "DuplicateEmail":
        return False
    match verdict:
        case Rejected():
            return status.phase != "Rejected" or not (status.message or "").startswith(verdict.message)
        case Ended():
            return status.phase != "Deleted"
        case Stopped():
            return status.phase != "Stopped"
        case Wanted():
            whose = (status.name, status.email) == (verdict.name, verdict.email)
            url = status.agent.proxyUrl if status.agent else None
            ready = (
                status.phase == "Ready"
                and status.startedAt is not None
                and url is not None
                and status.proxyUrl == url
            )
            return not whose or not (ready or status.phase == "Provisioning")


def _halted(documents: int, cluster_users: int) -> str | None:
    if cluster_users and documents * 2 < cluster_users:
        return (
            f"only {documents} documents were listed for {cluster_users} users in the cluster; "
            "nothing is swept until the listing is whole again"
        )
    return None
