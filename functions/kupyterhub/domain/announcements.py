"""What an agent announces about its user's notebook, and when that is news."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from kupyterhub.domain.policy import has_ended
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.urls import is_users_own
from kupyterhub.domain.users import CLOCKS_DIFFER, Agent, UserDocument
from kupyterhub.domain.wishes import STOPPED

ACTIVITY_STEP = timedelta(minutes=10)
"""A smaller move of `lastActivity` is not worth a write."""
IDLE_VALID = timedelta(minutes=15)
"""An `idle` message that is older says nothing about now."""


@dataclass(frozen=True)
class Announcement:
    """One message of `agent-events`."""

    type: Literal["registered", "idle", "lost"]
    user: str
    name: str
    instance: str
    proxy_url: str
    registered_at: datetime
    sent_at: datetime
    last_activity: datetime | None = None

    @property
    def agent(self) -> Agent:
        """As `status.agent` keeps it."""
        return Agent(self.proxy_url, self.instance, self.registered_at, self.sent_at)


def ignored(announcement: Announcement, document: UserDocument, settings: Settings, now: datetime) -> str | None:
    """Why an announcement says nothing about this document; None where it counts."""
    status = document.status
    if has_ended(document, now) or document.wishes.state == STOPPED:
        return "the user should not run"
    if max(announcement.registered_at, announcement.sent_at) > now + CLOCKS_DIFFER:
        return "it is of a time to come"
    if announcement.name != status.name:
        return "it is for another name"
    if not is_users_own(announcement.proxy_url, settings, announcement.name):
        return "its proxyUrl is not on the user's host"
    if status.agent and _is_older(announcement.agent, status.agent):
        return "a newer one is known"
    return None


def _is_older(announced: Agent, known: Agent) -> bool:
    if announced.registeredAt != known.registeredAt:
        return announced.registeredAt < known.registeredAt
    # One start, announced with two URLs or by two agents. `known` has kept when it was first sent.
    return announced.sentAt is not None and known.sentAt is not None and announced.sentAt < known.sentAt


def is_news(announcement: Announcement, document: UserDocument, now: datetime) -> bool:
    """Whether an announcement that counts can change anything; `lost` always asks for a look."""
    status = document.status
    return (
        announcement.type == "lost"
        or status.phase not in ("Ready", "Rejected")
        or status.agent != announcement.agent
        or activity_moved(announcement.last_activity, status.lastActivity)
        or (announcement.type == "idle" and now - announcement.sent_at < IDLE_VALID)
    )


def activity_moved(announced: datetime | None, stored: datetime | None) -> bool:
    """Whether `lastActivity` has moved enough to be written."""
    return announced is not None and (stored is None or announced - stored >= ACTIVITY_STEP)


def says_idle(
    announcement: Announcement,
    document: UserDocument,
    started_at: datetime,
    timeout: timedelta | None,
    now: datetime,
) -> bool:
    """Whether an `idle` message, as fresh as it must be, says that the notebook's `idleTimeout` is over."""
    active, known = announcement.last_activity, document.status.lastActivity
    return (
        announcement.type == "idle"
        and timeout is not None
        and active is not None
        and announcement.registered_at >= started_at
        and (known is None or active >= known)
        and now - announcement.sent_at < IDLE_VALID
        # By what the sender saw: a message that comes late stops nobody who was active on its way.
        and announcement.sent_at - active >= timeout
    )
