"""What a document asks for, judged by the settings: the first step of every look, without any I/O.

The order of judgement is a contract: gone, deleted or expired, stopped; then the e-mail; then policy; then
content. So somebody can always be stopped or deleted, whatever else is wrong with the document.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from kupyterhub.domain.settings import Profile, Settings
from kupyterhub.domain.users import UserDocument
from kupyterhub.domain.wishes import DELETED, STATES, STOPPED, Wishes
from kupyterhub_rules.names import MAX_EMAIL, base_name, normalise_email

_MAX_DISPLAY_NAME = 200
_QUOTED = 60
_LISTED = 200


@dataclass(frozen=True)
class Ended:
    """Deleted or expired: nothing may run, and the e-mail is free for others."""

    purge: bool
    email: None = None


@dataclass(frozen=True)
class Stopped:
    """Nothing may run for now; `email` is None where the document's own is no e-mail."""

    email: str | None


@dataclass(frozen=True)
class Rejected:
    """Something is wrong that only a person can mend.

    By policy nothing of the user may run. For content nothing new is applied and what runs is left running.
    """

    reason: str
    message: str
    email: str | None = None
    by_policy: bool = False


@dataclass(frozen=True)
class Wanted:
    """A notebook server should run."""

    email: str
    profile: Profile
    image: str

    @property
    def name(self) -> str:
        """Base name of the user's Kubernetes objects."""
        return base_name(self.email)


Verdict = Ended | Stopped | Rejected | Wanted


def judge(document: UserDocument, settings: Settings, now: datetime, *, whoever: bool = False) -> Verdict:
    """Say what one document asks for, `whoever` it is; whether another holds its e-mail is claims.py's question."""
    wishes = document.wishes
    if has_ended(document, now):
        return Ended(wishes.purge)
    email = email_of(document)
    if wishes.state == STOPPED:
        return Stopped(email)
    if email is None:
        return _email_rejected(wishes)
    if not whoever and not any(fnmatchcase(email, pattern.lower()) for pattern in settings.allowed_emails):
        # Single people's addresses are not for others to read.
        allowed = _some(pattern for pattern in settings.allowed_emails if "*" in pattern) or "people by name only"
        return Rejected(
            "EmailNotAllowed",
            f"email: {email} is not among those allowed here ({allowed}). "
            "An administrator can allow it (allowedEmails in the settings).",
            by_policy=True,
        )
    for reason, message in _content_errors(wishes, settings):
        return Rejected(reason, message, email)
    profile = profile_of(document, settings)
    return Wanted(email=email, profile=profile, image=wishes.image or settings.image_of(profile))


def none_may_run(verdict: Verdict) -> bool:
    """Whether what runs of the user has to go; what is rejected for its content alone is left running."""
    return isinstance(verdict, Ended | Stopped) or (isinstance(verdict, Rejected) and verdict.by_policy)


def has_ended(document: UserDocument, now: datetime) -> bool:
    """Whether the document counts as deleted: by its state, or because `expiresAt` is past."""
    expires = document.wishes.expires_at
    return document.wishes.state == DELETED or (expires is not None and expires <= now)


def email_of(document: UserDocument) -> str | None:
    """The document's own e-mail, lower-case; None where it is none."""
    email = document.wishes.email
    return normalise_email(email) if email is not None else None


def profile_of(document: UserDocument, settings: Settings) -> Profile:
    """The document's profile; `default` where it names none that exists (its deadline still holds then)."""
    return settings.profiles.get(document.wishes.profile, settings.profiles["default"])


def counts_with(document: UserDocument, email: str, now: datetime) -> bool:
    """Whether the document counts as a user with this lower-case e-mail."""
    return not has_ended(document, now) and email_of(document) == email


def holder(email: str, documents: list[UserDocument], now: datetime) -> UserDocument | None:
    """Of some documents the one that acts with an e-mail, as far as their status says: for the longest time."""
    counting = [d for d in documents if counts_with(d, email, now)]
    return min(
        counting,
        key=lambda d: (d.status.reason == "DuplicateEmail", d.status.emailSince or d.create_time, d.id),
        default=None,
    )


def duplicate(email: str, document: str) -> Rejected:
    """The verdict on a document whose e-mail another one, with this id, holds."""
    return Rejected(
        "DuplicateEmail",
        f"email: the document {_quoted(document)} already holds {email}. "
        "Delete one of the two; this one follows by itself.",
        email,
        by_policy=True,
    )


def _email_rejected(wishes: Wishes) -> Rejected:
    for wrong in wishes.wrong:
        if wrong.startswith("email:"):
            return Rejected("InvalidField", wrong)
    if not wishes.email:
        return Rejected(
            "EmailMissing", "email: is missing. Give the Google account's address, such as ada@example.com."
        )
    return Rejected(
        "EmailMalformed",
        f"email: {_quoted(wishes.email)} is no e-mail address. "
        f"Allowed is one such as ada@example.com, in ASCII, of at most {MAX_EMAIL} characters.",
    )


def _content_errors(wishes: Wishes, settings: Settings) -> Iterator[tuple[str, str]]:
    yield from (("InvalidField", wrong) for wrong in wishes.wrong)
    if wishes.state not in STATES:
        yield "InvalidField", f"state: {_quoted(wishes.state)} is none of {', '.join(STATES)}."
    profile, image = wishes.profile, wishes.image
    if profile not in settings.profiles:
        yield (
            "UnknownProfile",
            f"profile: there is no {_quoted(profile)}. Allowed: {_some(sorted(settings.profiles))}.",
        )
    elif image is not None and image not in (allowed := settings.profiles[profile].images):
        choice = f"Allowed: {_some(allowed)}." if allowed else "It allows no choice; leave the field out."
        yield "ImageNotAllowed", f"image: profile {profile} does not allow {_quoted(image)}. {choice}"
    if wishes.display_name is not None and (length := len(wishes.display_name)) > _MAX_DISPLAY_NAME:
        yield "InvalidField", f"displayName: has {length} characters; at most {_MAX_DISPLAY_NAME} are allowed."
    if wishes.purge:
        yield (
            "PurgeWhileRunning",
            "purge: removes the notebooks for good, so it is only allowed with state: deleted.",
        )


def _some(choices: Iterable[str]) -> str:
    """Choices for a sentence: all of them where they are few."""
    text = ", ".join(choices)
    return text if len(text) <= _LISTED else f"{text[:_LISTED]}…"


def _quoted(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…")
