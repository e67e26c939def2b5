"""What every user's objects are computed from beside the document."""

from dataclasses import dataclass, field

from kupyterhub.domain.settings import Settings


@dataclass(frozen=True)
class Installation:
    """The same for all users."""

    settings: Settings
    master_secret: bytes = field(repr=False)
    """The key of notebooks' tokens."""
    topic: str
    """Where agents publish what they see, in hosted mode: `projects/<project>/topics/agent-events`."""
