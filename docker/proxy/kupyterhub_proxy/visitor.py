"""Who asks, as far as it is proven."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person, and how long what they proved is taken for true."""

    email: str
    """Normalised."""
    until: datetime
    sign_in: str = ""
    """Tells one sign-in from another, on all hosts where it counts; empty where nobody signs in with us."""
