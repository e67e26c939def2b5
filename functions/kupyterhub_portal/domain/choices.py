"""Which profile and image somebody may have, as the choices of one list."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Choice:
    """A profile, and an image where it is not the profile's own."""

    profile: str
    image: str | None = None

    @property
    def value(self) -> str:
        """What a form sends; neither of the two has spaces."""
        return f"{self.profile} {self.image or ''}".strip()

    @property
    def label(self) -> str:
        """What people read."""
        return f"{self.profile}: {self.image.rpartition('/')[2]}" if self.image else self.profile


def is_allowed(email: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of these patterns is of this lower-case e-mail."""
    return any(fnmatchcase(email, pattern.lower()) for pattern in patterns)


def all_choices(settings: Settings) -> list[Choice]:
    """Everything that there is, the default first."""
    names = sorted(settings.profiles, key=lambda name: (name != DEFAULT, name))
    return [choice for name in names for choice in _of_profile(name, settings.profiles[name].images)]


def _of_profile(name: str, images: tuple[str, ...]) -> list[Choice]:
    """A single image is the profile's own, which is no choice."""
    return [Choice(name), *(Choice(name, image) for image in images if len(images) > 1)]


def own_choices(settings: Settings, email: str, document: UserDocument) -> list[Choice]:
    """What a person may choose: the default, what is allowed to them, and what an administrator gave them."""
    given = current(document).profile
    return [
        choice
        for choice in all_choices(settings)
        if choice.profile in (DEFAULT, given) or is_allowed(email, settings.profiles[choice.profile].allowed)
    ]


def current(document: UserDocument) -> Choice:
    """What a document says now."""
    profile, image = document.fields.get("profile"), document.fields.get("image")
    return Choice(
        profile if isinstance(profile, str) else DEFAULT, image if isinstance(image, str) and image else None
    )
