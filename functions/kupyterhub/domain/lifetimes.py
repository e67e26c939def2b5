"""When a notebook ends by itself: what applies to one that runs is what it was started with, as its template says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from kupyterhub.domain import live as facts
from kupyterhub.domain.labels import ACTIVITY, IDLE_TIMEOUT, MAX_AGE
from kupyterhub.domain.live import Object
from kupyterhub.domain.settings import Profile

_DIGITS = 9
"""Of seconds: longer is somebody else's writing."""


@dataclass(frozen=True)
class Lifetime:
    """`idleTimeout`, `activity` and `maxAge` of a profile."""

    idle_timeout: timedelta | None
    activity: tuple[str, ...]
    max_age: timedelta | None

    @classmethod
    def of_profile(cls, profile: Profile) -> Self:
        """What one that is started now gets."""
        return cls(profile.idle_timeout, profile.activity, profile.max_age)

    @classmethod
    def of_live(cls, live: Object | None, profile: Profile) -> Self:
        """What the notebook of a Deployment was started with; by the profile where its template does not say."""
        said = (
            {name: facts.template_annotation(live, name) for name in (IDLE_TIMEOUT, ACTIVITY, MAX_AGE)}
            if live
            else {}
        )
        activity = said.get(ACTIVITY)
        if activity is None:
            return cls.of_profile(profile)
        idle_timeout, max_age = (_seconds(said[name]) for name in (IDLE_TIMEOUT, MAX_AGE))
        return cls(idle_timeout, tuple(filter(None, activity.split(","))), max_age)

    @property
    def for_agent(self) -> dict[str, str]:
        """The annotations by which a shared agent knows when a notebook is idle."""
        idle = {IDLE_TIMEOUT: f"{self.idle_timeout.total_seconds():.0f}"} if self.idle_timeout else {}
        return {ACTIVITY: ",".join(self.activity), **idle}

    @property
    def annotations(self) -> dict[str, str]:
        """As a pod template says it."""
        oldest = {MAX_AGE: f"{self.max_age.total_seconds():.0f}"} if self.max_age else {}
        return {**self.for_agent, **oldest}

    def ends_at(self, live: Object | None) -> datetime | None:
        """When the notebook of a Deployment reaches its maximum age."""
        return facts.started_at(live) + self.max_age if live and self.max_age else None


def _seconds(text: str | None) -> timedelta | None:
    return timedelta(seconds=float(text)) if text and text.isdecimal() and len(text) <= _DIGITS else None
