"""Who asks, as far as it is proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person, and how long what they proved is taken for true."""

    email: str
    """Normalised."""
    until: datetime
    sign_in: str = ""
    """Tells one sign-in from another, on all hosts where it counts; empty where nobody signs in with us."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """Take what `fields` gave."""
        return cls(fields["email"], datetime.fromtimestamp(fields["until"], UTC), fields["signIn"])

    def fields(self) -> dict[str, Any]:
        """Give it as JSON can hold it, `until` in whole seconds."""
        return {"email": self.email, "until": int(self.until.timestamp()), "signIn": self.sign_in}
