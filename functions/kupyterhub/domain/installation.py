"""What every user's objects are computed from beside the document."""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property

from kupyterhub.domain.settings import Settings


@dataclass(frozen=True)
class Installation:
    """The same for all users."""

    settings: Settings
    master_secret: bytes = field(repr=False)
    """The key of notebooks' tokens."""
    topic: str
    """Where agents publish what they see, in hosted mode: `projects/<project>/topics/agent-events`."""

    @cached_property
    def hash(self) -> str:
        """What `status.settings` holds: of what a look depends on, without telling anything of the master secret.

        What only portal and proxy act on is left out: nobody need be looked at for one more administrator.
        """
        settings = self.settings.model_dump_json(exclude={"admins", "limits", "self_enrolment"})
        fingerprint = hmac.new(self.master_secret, b"status.settings", hashlib.sha256).hexdigest()
        return hashlib.sha256(f"{settings} {fingerprint}".encode()).hexdigest()[:16]
