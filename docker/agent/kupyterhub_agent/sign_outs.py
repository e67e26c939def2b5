"""What replicas of our server say of people who have signed out, kept to be passed on to each of them.

They share nothing but keys, and an agent is connected to all of them, so by it the others hear what one of them was
asked, and one that starts later too. A word is signed by the server; an agent neither reads nor makes any.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT = 10_000
"""Some 5 MB. Beyond it those go that end first: replicas that start later do not hear of them by this agent."""

log = logging.getLogger(__name__)


class SignOuts:
    """Keeps each word until the session that it ends would have ended by itself."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def take(self, message: Mapping[str, Any]) -> bool:
        """Keep what a replica says, and tell whether it is news; raises KeyError, ValueError, TypeError."""
        word, until = str(message["word"]), datetime.fromisoformat(message["until"])
        if word in self._until or until <= datetime.now(UTC):
            return False
        if len(self._until) >= KEPT:
            self._make_room()
        self._until[word] = until
        return True

    def messages(self) -> list[dict[str, Any]]:
        """Give what a replica is told that may not know."""
        self._forget()
        return [
            {"type": "signedOut", "word": word, "until": until.isoformat()} for word, until in self._until.items()
        ]

    def _make_room(self) -> None:
        self._forget()
        if len(self._until) >= KEPT:
            log.warning("more than %d people have signed out", KEPT)
            del self._until[min(self._until, key=self._until.__getitem__)]

    def _forget(self) -> None:
        now = datetime.now(UTC)
        self._until = {word: until for word, until in self._until.items() if now < until}
