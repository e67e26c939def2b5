"""Which users need a look, by what a listing of the cluster and the documents say; pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kupyterhub.domain import live as facts
from kupyterhub.domain.labels import USER
from kupyterhub.domain.live import Object
from kupyterhub.domain.policy import Verdict, Wanted, email_of, holder, judge, none_may_run
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument


def components(settings: Settings) -> set[str]:
    """Whose Deployments a user who should run has."""
    return {"jupyterlab", "agent"} if settings.agent == "per-user" else {"jupyterlab"}


@dataclass(frozen=True)
class Comparison:
    """Users who differ from the cluster, and users whose objects seem to belong to nobody or to another name."""

    differing: tuple[str, ...]
    strays: tuple[str, ...]
    halted: str | None
    """Why nothing was called a stray: then the listing of documents is not to be trusted."""


def compare(
    deployments: Iterable[Object], documents: list[UserDocument], settings: Settings, now: datetime
) -> Comparison:
    """Compare the cluster, listed first, with the documents, listed after it."""
    by_user: dict[str, list[Object]] = defaultdict(list)
    for deployment in deployments:
        if user := deployment["metadata"].get("annotations", {}).get(USER):
            by_user[user].append(deployment)
    by_email = _by_email(documents)
    differing = tuple(d.id for d in documents if _differs(d, by_user.get(d.id, []), by_email, settings, now))
    known = {document.id: document for document in documents}
    halted = _halted(len(known), len(by_user))
    strays = (
        ()
        if halted
        else tuple(
            user
            for user, objects in by_user.items()
            if user not in known or any(_is_stray(obj, known[user], settings) for obj in objects)
        )
    )
    return Comparison(differing, strays, halted)


def _is_stray(deployment: Object, document: UserDocument, settings: Settings) -> bool:
    """Whether it is of another name, or an agent that the user's last look at these settings should have removed."""
    acted_on = document.status.settings == settings.hash
    superseded = facts.component(deployment) not in components(settings)
    return facts.instance(deployment) != document.status.name or (superseded and acted_on)


def _halted(documents: int, cluster_users: int) -> str | None:
    if cluster_users and documents * 2 < cluster_users:
        return (
            f"only {documents} documents were listed for {cluster_users} users in the cluster; "
            "nothing is swept until the listing is whole again"
        )
    return None


def _by_email(documents: list[UserDocument]) -> dict[str, list[UserDocument]]:
    found: dict[str, list[UserDocument]] = defaultdict(list)
    for document in documents:
        if email := email_of(document):
            found[email].append(document)
    return found


def _differs(
    document: UserDocument,
    objects: list[Object],
    by_email: dict[str, list[UserDocument]],
    settings: Settings,
    now: datetime,
) -> bool:
    status, verdict = document.status, judge(document, settings, now)
    due = status.nextLookAt is not None and status.nextLookAt <= now
    acted_on = status.observed == document.observed and status.settings == settings.hash
    return (
        due
        or not acted_on
        or _holds_wrongly(document, verdict, by_email, now)
        or _runs_wrongly(document, verdict, objects, components(settings))
    )


def _holds_wrongly(
    document: UserDocument, verdict: Verdict, by_email: dict[str, list[UserDocument]], now: datetime
) -> bool:
    if verdict.email is None:
        return False
    first = holder(verdict.email, by_email[verdict.email], now)
    held_by_other = first is not None and first.id != document.id
    return isinstance(verdict, Wanted) and held_by_other != (document.status.reason == "DuplicateEmail")


def _runs_wrongly(document: UserDocument, verdict: Verdict, objects: list[Object], needed: set[str]) -> bool:
    if none_may_run(verdict) or document.status.reason == "DuplicateEmail":
        return bool(objects)
    if not isinstance(verdict, Wanted):
        return False
    own = {facts.component(obj) for obj in objects if facts.instance(obj) == verdict.name}
    lost = document.status.phase == "Ready" and any(facts.unavailable_since(obj) for obj in objects)
    return not needed <= own or lost
