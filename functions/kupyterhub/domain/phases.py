"""The status that a look ends with: pure functions from what was judged and seen to what is written."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kupyterhub.domain import live as facts
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.lifetimes import Lifetime
from kupyterhub.domain.live import Object
from kupyterhub.domain.policy import Ended, Rejected, Stopped, Verdict, Wanted, email_of, profile_of
from kupyterhub.domain.refusals import Trouble
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import Agent, Status, UserDocument, search_terms
from kupyterhub.domain.wishes import DELETED

SOON = timedelta(minutes=1)
_OF_BEFORE = ("Ending", "PurgePending")
LONGEST = timedelta(minutes=60)
FAR = timedelta(days=3650)
"""An end that is further away is none: programs write the last day that they know for never."""
WAITS = "A change waits for the next start; set restart to true to restart now."
NO_POD = Trouble("NoPod", "Kubernetes has not made its pod yet.")
STARTING = Trouble("Starting", "JupyterLab is starting.")
STOPS = ("Idle", "MaxAge")
"""Reasons that stay while the user stays Stopped."""


@dataclass(frozen=True)
class Seen:
    """What a look found out about a user beside the document."""

    verdict: Verdict
    live: Object | None = None
    """The notebook's Deployment, after it was applied."""
    waits: bool = False
    announcement: Announcement | None = None
    trouble: Trouble | None = None
    """Why it does not run yet, as far as Kubernetes says."""
    purge_pending: bool = False
    message: str | None = None
    """Something that was done or not done and that a person should know."""
    own_agent_stays: bool = False
    """The shared agent, which is to serve this user too, is not available yet."""
    held_by: str | None = None
    """The document that holds the name instead."""
    held_back: bool = False
    """New settings do not allow the e-mail, and would stop too many: as if they did."""
    fresh: bool = False
    """Nobody had the name before: there can be nothing of it in the cluster."""
    changed: bool = False
    """The look changed something in the cluster."""
    made: Object | None = None
    """The notebook's Deployment that was just made."""
    ended: Object | None = None
    """The notebook's Deployment that was just removed."""


def next_status(document: UserDocument, seen: Seen, installation: Installation, now: datetime) -> Status:
    """The whole status after a look; equal to the stored one where nothing is new."""
    before, status = document.status, _of_verdict(document, seen, installation, now)
    if seen.held_back:
        # Who is held back is judged by these settings again when it is known how many they stop.
        return replace(status, settings=before.settings)
    if seen.own_agent_stays:
        soon = _earliest(status.nextLookAt, before.nextLookAt, now + SOON)
        return replace(status, settings=before.settings, nextLookAt=soon)
    return status


def _of_verdict(document: UserDocument, seen: Seen, installation: Installation, now: datetime) -> Status:
    settings = installation.settings
    status = replace(
        document.status,
        observed=document.observed,
        settings=installation.hash,
        cluster=settings.clusters[0].name if settings.clusters else None,
        terms=search_terms(*searched(document)),
        proxyUrl=None,
        reason=None,
        message=seen.message,
        nextLookAt=None,
    )
    if seen.trouble and seen.trouble.refused and seen.live is None:
        return _failed(document, status, seen.trouble, now)
    match seen.verdict:
        case Ended():
            return _ended(document, status, seen, now)
        case Stopped():
            return _stopped(document, status, seen, now)
        case Rejected(by_policy=True) as rejected:
            return _at_rest(document, status, now, phase="Rejected", reason=rejected.reason, message=rejected.message)
        case Rejected() as rejected:
            return _left_running(document, status, rejected, seen, settings, now)
        case Wanted():
            return _running(document, status, seen, settings, now)


def searched(document: UserDocument) -> tuple[str | None, str | None]:
    """What somebody is found by."""
    return email_of(document), document.wishes.display_name


def agent_of(document: UserDocument, announcement: Announcement | None, live: Object | None) -> Agent | None:
    """The last accepted announcement; one that is older than the live Deployment is not of this start."""
    if announcement and announcement.type != "lost" and live and announcement.registered_at >= facts.created_at(live):
        return announcement.agent
    return document.status.agent


def is_ready(document: UserDocument, seen: Seen) -> bool:
    """Whether an announcement of this start is accepted, and the notebook has not become unavailable since."""
    if seen.live is None:
        return False
    agent = agent_of(document, seen.announcement, seen.live)
    start = facts.started_at(seen.live)
    down = facts.unavailable_since(seen.live)
    return agent is not None and agent.registeredAt >= start and not (down and down > agent.registeredAt)


def _at_rest(  # noqa: PLR0913 - the parts of a status
    document: UserDocument, status: Status, now: datetime, *, phase: str, reason: str | None, message: str | None
) -> Status:
    return replace(
        status,
        phase=phase,
        reason=reason,
        message=message,
        agent=None,
        startedAt=None,
        nextLookAt=_expiry(document, now) if phase != "Deleted" else None,
        emailSince=status.emailSince if phase == "Stopped" else None,
    )


def _ended(document: UserDocument, status: Status, seen: Seen, now: datetime) -> Status:
    expired = document.wishes.state != DELETED
    before = document.status
    kept = before.message if before.phase == "Deleted" else "Deleted. The notebooks are kept until purge is set."
    reason = "Expired" if expired else None
    ended = _at_rest(document, status, now, phase="Deleted", reason=reason, message=seen.message or kept)
    if before.phase != "Deleted" and (before.deletedAt is None or before.deletedAt < (before.emailSince or now)):
        ended = replace(ended, deletedAt=now)
    return replace(ended, nextLookAt=_pending(before, now)) if seen.purge_pending else ended


def _pending(before: Status, now: datetime) -> datetime:
    return min(before.nextLookAt, now) if before.phase == "Deleted" and before.nextLookAt else now


def _stopped(document: UserDocument, status: Status, seen: Seen, now: datetime) -> Status:
    before = document.status
    reason = before.reason if before.reason in STOPS else None
    why = {
        "Idle": "Stopped because nobody used it for a while. ",
        "MaxAge": "Stopped because it ran for its maximum age. ",
    }
    message = f"{why.get(reason or '', '')}The notebooks are kept; set state to running to start again."
    stopped = _at_rest(document, status, now, phase="Stopped", reason=reason, message=message)
    return stopped if seen.verdict.email is not None else replace(stopped, emailSince=None)


def _left_running(  # noqa: PLR0913, PLR0917 - what the status is made of
    document: UserDocument, status: Status, rejected: Rejected, seen: Seen, settings: Settings, now: datetime
) -> Status:
    end = Lifetime.of_live(seen.live, profile_of(document, settings)).ends_at(seen.live)
    left = " What runs is left running." if seen.live else ""
    return replace(
        status,
        agent=agent_of(document, seen.announcement, seen.live) if seen.live else None,
        startedAt=facts.created_at(seen.live) if seen.live else None,
        phase="Rejected",
        reason=rejected.reason,
        message=f"{rejected.message}{left}",
        lastActivity=_activity(document, seen),
        emailSince=status.emailSince if rejected.email else None,
        nextLookAt=_earliest(_expiry(document, now), end),
    )


def _running(document: UserDocument, status: Status, seen: Seen, settings: Settings, now: datetime) -> Status:
    live, before, profile = seen.live, document.status, profile_of(document, settings)
    started = facts.created_at(live) if live else None
    agent = agent_of(document, seen.announcement, live) if live else None
    status = replace(status, agent=agent, startedAt=started, lastActivity=_activity(document, seen))
    if live and agent and is_ready(document, seen):
        until = _earliest(_expiry(document, now), Lifetime.of_live(live, profile).ends_at(live))
        status = replace(status, phase="Ready", proxyUrl=agent.proxyUrl, nextLookAt=until)
        if seen.trouble:
            # It runs; only what should be changed about it is refused.
            return replace(status, message=seen.trouble.message, nextLookAt=_earliest(until, now + LONGEST))
        return replace(status, message=WAITS if seen.waits else None)
    if seen.trouble and seen.trouble.refused:
        return _failed(document, status, seen.trouble, now)
    # A restart, or a node that went away, begins the wait anew: a server of last week is not late.
    restarted = facts.restarted_at(live) if live else None
    fell_over = facts.unavailable_since(live) if live else None
    asked = before.changes[-1].at if before.phase in ("Provisioning", "Failed") and before.changes else now
    made = facts.created_at(seen.made) if seen.made else None
    begun = max((moment for moment in (started, made, restarted, fell_over) if moment), default=asked)
    deadline = begun + profile.ready_deadline
    # What was late already does not begin anew by still not being there.
    still_late = before.phase == "Failed" and begun == asked
    if now >= deadline or still_late:
        return _failed(document, status, seen.trouble or (_LATE if live else NO_POD), now)
    trouble = seen.trouble or (STARTING if live else NO_POD)
    # What is of before is gone any moment.
    soon = now if trouble.reason in _OF_BEFORE else now + SOON
    was_so = before.reason in _OF_BEFORE
    waits_still = before.phase == "Provisioning" and was_so is (trouble.reason in _OF_BEFORE)
    look = _earliest(before.nextLookAt if waits_still else None, soon)
    return replace(
        status,
        phase="Provisioning",
        reason=trouble.reason,
        message=trouble.message,
        nextLookAt=_earliest(look, deadline, _expiry(document, now)),
    )


_LATE = Trouble(
    "NotReadyInTime",
    "JupyterLab runs, but did not become ready in time. It goes on trying; an administrator should look at its log.",
)


def _failed(document: UserDocument, status: Status, trouble: Trouble, now: datetime) -> Status:
    before = document.status
    failing = before.phase == "Failed"
    since = before.changes[-1].at if failing and before.changes else before.updatedAt if failing else now
    keep = failing and before.nextLookAt is not None and now < before.nextLookAt <= now + LONGEST
    return replace(
        status,
        phase="Failed",
        reason=trouble.reason,
        message=trouble.message,
        nextLookAt=_earliest(before.nextLookAt if keep else _next_try(since or now, now), _expiry(document, now)),
    )


def _next_try(since: datetime, now: datetime) -> datetime:
    """1, 2, 4 … 60 minutes apart, counted from the first failure, so that nothing need be remembered."""
    step, moment = SOON, since + SOON
    while moment <= now and step < LONGEST:
        step = min(step * 2, LONGEST)
        moment += step
    late = max(now - moment, -LONGEST)
    return moment + (late // LONGEST + 1) * LONGEST


def _activity(document: UserDocument, seen: Seen) -> datetime | None:
    announced = seen.announcement.last_activity if seen.announcement else None
    return max((moment for moment in (document.status.lastActivity, announced) if moment), default=None)


def _expiry(document: UserDocument, now: datetime) -> datetime | None:
    expires = document.wishes.expires_at
    return expires if expires and now < expires < now + FAR else None


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)
