"""The status that a look ends with: pure functions from what was judged and seen to what is written."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kupyterhub.domain import live as facts
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.live import Object, Trouble
from kupyterhub.domain.policy import Ended, Rejected, Stopped, Verdict, Wanted, email_of, profile_of
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import Agent, Status, UserDocument, search_terms

SOON = timedelta(minutes=1)
LONGEST = timedelta(minutes=60)
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
    purge_pending: bool = False
    message: str | None = None
    """Something that was done or not done and that a person should know."""
    own_agent_stays: bool = False
    """The shared agent, which is to serve this user too, is not available yet."""


def next_status(document: UserDocument, seen: Seen, settings: Settings, now: datetime) -> Status:
    """The whole status after a look; equal to the stored one where nothing is new."""
    before, status = document.status, _of_verdict(document, seen, settings, now)
    if seen.own_agent_stays:
        # These settings are not acted on yet: so the next look lists the user's objects again.
        soon = _earliest(status.nextLookAt, before.nextLookAt, now + SOON)
        return replace(status, settings=before.settings, nextLookAt=soon)
    return status


def _of_verdict(document: UserDocument, seen: Seen, settings: Settings, now: datetime) -> Status:
    status = replace(
        document.status,
        observed=document.observed,
        settings=settings.hash,
        cluster=settings.clusters[0].name if settings.clusters else None,
        terms=search_terms(email_of(document), document.fields.get("displayName")),
        proxyUrl=None,
        reason=None,
        message=seen.message,
        nextLookAt=None,
    )
    match seen.verdict:
        case Ended():
            return _ended(document, status, seen, now)
        case Stopped():
            return _stopped(document, status, counts=seen.verdict.email is not None)
        case Rejected(by_policy=True) as rejected:
            return _at_rest(document, status, phase="Rejected", reason=rejected.reason, message=rejected.message)
        case Rejected() as rejected:
            return _left_running(document, status, rejected, seen, settings)
        case Wanted():
            return _running(document, status, seen, settings, now)


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
    start = max(facts.created_at(seen.live), facts.restarted_at(seen.live) or facts.created_at(seen.live))
    down = facts.unavailable_since(seen.live)
    return agent is not None and agent.registeredAt >= start and not (down and down > agent.registeredAt)


def maximum_age_reached(document: UserDocument, live: Object | None, settings: Settings, now: datetime) -> bool:
    """Whether the notebook has run for its profile's `maxAge`."""
    moment = _maximum_age(document, live, settings)
    return moment is not None and moment <= now


def _at_rest(
    document: UserDocument, status: Status, *, phase: str, reason: str | None, message: str | None
) -> Status:
    return replace(
        status,
        phase=phase,
        reason=reason,
        message=message,
        agent=None,
        startedAt=None,
        nextLookAt=_earliest(_expiry(document)) if phase != "Deleted" else None,
        emailSince=status.emailSince if phase == "Stopped" or reason == "DuplicateEmail" else None,
    )


def _ended(document: UserDocument, status: Status, seen: Seen, now: datetime) -> Status:
    expired = document.fields.get("state") != "deleted"
    before = document.status
    kept = before.message if before.phase == "Deleted" else "Deleted. The notebooks are kept until purge is set."
    ended = _at_rest(
        document, status, phase="Deleted", reason="Expired" if expired else None, message=seen.message or kept
    )
    if before.phase != "Deleted" and (before.deletedAt is None or before.deletedAt < (before.emailSince or now)):
        ended = replace(ended, deletedAt=now)
    return replace(ended, nextLookAt=_pending(before, now)) if seen.purge_pending else ended


def _pending(before: Status, now: datetime) -> datetime:
    return before.nextLookAt if before.phase == "Deleted" and before.nextLookAt else now


def _stopped(document: UserDocument, status: Status, *, counts: bool) -> Status:
    before = document.status
    reason = before.reason if before.reason in STOPS else None
    why = {
        "Idle": "Stopped because nobody used it for a while. ",
        "MaxAge": "Stopped because it ran for its maximum age. ",
    }
    message = f"{why.get(reason or '', '')}The notebooks are kept; set state to running to start again."
    stopped = _at_rest(document, status, phase="Stopped", reason=reason, message=message)
    return stopped if counts else replace(stopped, emailSince=None)


def _left_running(
    document: UserDocument, status: Status, rejected: Rejected, seen: Seen, settings: Settings
) -> Status:
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
        nextLookAt=_earliest(_expiry(document), _maximum_age(document, seen.live, settings)),
    )


def _running(document: UserDocument, status: Status, seen: Seen, settings: Settings, now: datetime) -> Status:
    assert seen.live is not None  # noqa: S101 - applied or read before
    started = facts.created_at(seen.live)
    agent = agent_of(document, seen.announcement, seen.live)
    status = replace(status, agent=agent, startedAt=started, lastActivity=_activity(document, seen))
    if agent and is_ready(document, seen):
        waits = "A change waits for the next start; set restart to true to restart now." if seen.waits else None
        until = _earliest(_expiry(document), _maximum_age(document, seen.live, settings))
        return replace(status, phase="Ready", proxyUrl=agent.proxyUrl, message=waits, nextLookAt=until)
    # A restart, or a node that went away, begins the wait anew: a server of last week is not late.
    begun = max(filter(None, (started, status.restartedAt, facts.unavailable_since(seen.live))))
    deadline = begun + profile_of(document, settings).ready_deadline
    if now >= deadline:
        return _failed(document, status, seen, deadline, now)
    trouble = seen.trouble or Trouble("Starting", "JupyterLab is starting.")
    before = document.status
    look = before.nextLookAt if before.phase == "Provisioning" and before.nextLookAt else now + SOON
    return replace(
        status,
        phase="Provisioning",
        reason=trouble.reason,
        message=trouble.message,
        nextLookAt=_earliest(look, deadline, _expiry(document)),
    )


def _failed(document: UserDocument, status: Status, seen: Seen, deadline: datetime, now: datetime) -> Status:
    trouble = seen.trouble or Trouble(
        "NotReadyInTime",
        "JupyterLab did not become ready in time. It goes on trying; an administrator should look at its log.",
    )
    before = document.status
    keep = before.phase == "Failed" and before.nextLookAt is not None and before.nextLookAt > now
    return replace(
        status,
        phase="Failed",
        reason=trouble.reason,
        message=trouble.message,
        nextLookAt=_earliest(before.nextLookAt if keep else _next_try(deadline, now), _expiry(document)),
    )


def _next_try(deadline: datetime, now: datetime) -> datetime:
    """1, 2, 4 … 60 minutes apart, counted from the deadline, so that nothing need be remembered."""
    step, moment = SOON, deadline + SOON
    while moment <= now:
        step = min(step * 2, LONGEST)
        moment += step
    return moment


def _activity(document: UserDocument, seen: Seen) -> datetime | None:
    announced = seen.announcement.last_activity if seen.announcement else None
    return max((moment for moment in (document.status.lastActivity, announced) if moment), default=None)


def _expiry(document: UserDocument) -> datetime | None:
    expires = document.fields.get("expiresAt")
    return expires if isinstance(expires, datetime) else None


def _maximum_age(document: UserDocument, live: Object | None, settings: Settings) -> datetime | None:
    limit = profile_of(document, settings).max_age
    return facts.created_at(live) + limit if live and limit else None


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment), default=None)
