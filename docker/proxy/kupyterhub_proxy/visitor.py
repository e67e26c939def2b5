"""Who asks, as far as it is proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

SESSION = timedelta(hours=24)
"""So long a sign-in of ours lasts that is not used."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person, and how long what they proved is taken for true."""

    email: str
    """Normalised."""
    until: datetime
    began: datetime
    """When they proved it."""
    sign_in: str = ""
    """Tells one sign-in from another, on all hosts where it counts; empty where nobody signs in with us."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """Take what `fields` gave."""
        until = datetime.fromtimestamp(fields["until"], UTC)
        # Sessions of before they were renewed do not say it.
        began = datetime.fromtimestamp(fields["began"], UTC) if "began" in fields else until - SESSION
        return cls(fields["email"], until, began, fields["signIn"])

    def fields(self) -> dict[str, Any]:
        """Give it as JSON can hold it, times in whole seconds."""
        until, began = (int(time.timestamp()) for time in (self.until, self.began))
        return {"email": self.email, "until": until, "signIn": self.sign_in, "began": began}
