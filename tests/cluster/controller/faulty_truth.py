"""What must be so once all events are handled: the cluster is what the documents say, and every status is true."""

from collections.abc import Iterator
from datetime import UTC, datetime

from cluster.controller.alone import Alone
from cluster.controller.kube import KINDS, Object, plural
from kupyterhub.domain import live as facts
from kupyterhub.domain.claims import still_counts
from kupyterhub.domain.desired import needed
from kupyterhub.domain.policy import Ended, Rejected, Stopped, Verdict, Wanted, judge, none_may_run
from kupyterhub.domain.users import UserDocument
from kupyterhub_rules.names import base_name

_MANAGED = "app.kubernetes.io/managed-by=kupyterhub"


def lies(alone: Alone) -> Iterator[str]:
    """All that is not as it should be, in words."""
    documents = {document.id for document in alone.users.every()}
    for user in documents:
        yield from lies_about(alone, user)
    for claim in alone.users.every_claim():
        if not still_counts(claim, alone.users.get(claim.user), datetime.now(UTC)):
            yield f"{claim} is held by who does not count"
    for obj in objects(alone):
        if facts.user(obj) not in documents:
            yield f"{facts.key(obj)} {facts.instance(obj)} is nobody's"


def lies_about(alone: Alone, user: str) -> Iterator[str]:
    """The same of one document, or of what is left of one."""
    document = alone.users.get(user)
    own = {f"{facts.key(obj)} {facts.instance(obj)}" for obj in objects(alone) if facts.user(obj) == user}
    if document is None:
        yield from (f"{user}: {each} is nobody's" for each in own)
        yield from (f"{user}: {claim} is nobody's" for claim in alone.users.claims_of(user))
        return
    for lie in (*_of_status(alone, document), *_of_objects(alone, document, own)):
        yield f"{user}: {lie}; {document.status.message}; {own}"


def objects(alone: Alone) -> list[Object]:
    """All objects but storage, and but for those that are about to go."""
    found = [
        {**obj, "kind": kind}
        for kind, version in KINDS.items()
        for obj in alone.kube.items(version, plural(kind), alone.namespace, labelSelector=_MANAGED)
        if kind != "PersistentVolumeClaim"
    ]
    return [obj for obj in found if not facts.is_ending(obj)]


def storage(alone: Alone) -> set[str]:
    """Base names with a PersistentVolumeClaim."""
    claims = alone.kube.items("api/v1", "persistentvolumeclaims", alone.namespace)
    return {obj["metadata"]["name"].removeprefix("home-") for obj in claims}


def _of_status(alone: Alone, document: UserDocument) -> Iterator[str]:
    status, said = document.status, (document.status.phase, document.status.reason)
    if status.observed != document.observed:
        yield "observed is not what the document says"
    if status.settings != alone.reconciler.installation.hash:
        yield "settings are not those of now"
    if not _is_so(
        document, judge(document, alone.settings, datetime.now(UTC)), duplicate=_is_duplicate(alone, document)
    ):
        yield f"it is {said}, {status.name} of {status.email}"
    live = alone.cluster.read_notebook(status.name) if status.name else None
    runs = live is not None and facts.is_of(live, document.id) and not facts.is_ending(live)
    started = facts.created_at(live) if live and runs else None
    # The look that starts it does not know yet.
    if status.startedAt not in ({started, None} if status.phase == "Provisioning" else {started}):
        yield f"it is said to have started at {status.startedAt}, and did at {started}"
    if (status.phase == "Ready") != (status.proxyUrl is not None):
        yield f"it is {said}, at {status.proxyUrl}"


def _is_so(document: UserDocument, verdict: Verdict, *, duplicate: bool) -> bool:
    status, wishes = document.status, document.wishes
    if duplicate:
        return (status.phase, status.reason) == ("Rejected", "DuplicateEmail")
    match verdict:
        case Ended():
            return status.phase == "Deleted" and not wishes.purge
        case Stopped():
            return status.phase == "Stopped"
        case Rejected():
            return (status.phase, status.reason) == ("Rejected", verdict.reason)
        case Wanted():
            own = (status.email, status.name) == (verdict.email, verdict.name)
            return status.phase in ("Provisioning", "Ready") and own and not wishes.restart


def _of_objects(alone: Alone, document: UserDocument, own: set[str]) -> Iterator[str]:
    verdict = judge(document, alone.settings, datetime.now(UTC))
    if none_may_run(verdict) or _is_duplicate(alone, document):
        if own:
            yield f"none may run, but there is {own}"
    elif isinstance(verdict, Wanted):
        if own != {f"{key} {verdict.name}" for key in needed(verdict, alone.settings.agent)}:
            yield f"of {verdict.name} there is {own}"
        if alone.cluster.read_claim(verdict.name) is None:
            yield f"the storage of {verdict.name} is missing"


def _is_duplicate(alone: Alone, document: UserDocument) -> bool:
    verdict = judge(document, alone.settings, datetime.now(UTC))
    if verdict.email is None or isinstance(verdict, Stopped) or none_may_run(verdict):
        return False
    return not alone.reconciler.names.is_held(base_name(verdict.email), document.id)
