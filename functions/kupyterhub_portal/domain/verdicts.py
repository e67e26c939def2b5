"""What a document asks for, as the portal tells of it: judged as by the controller, but for what that holds back."""

from datetime import datetime

from kupyterhub.domain.policy import Rejected, Verdict, judge
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument

_RUNS = ("Provisioning", "Ready", "Failed")


def verdict_of(document: UserDocument, settings: Settings, now: datetime) -> Verdict:
    """Judge a document.

    New settings that would stop many stop nobody until that is said to be meant. So who runs without being allowed
    any more is told how it stands, and not that they may not, until the controller has acted on it.
    """
    verdict, status = judge(document, settings, now), document.status
    not_allowed = isinstance(verdict, Rejected) and verdict.reason == "EmailNotAllowed"
    if not_allowed and status.phase in _RUNS and status.observed == document.observed:
        return judge(document, settings, now, whoever=True)
    return verdict
