"""Who signs out is signed out at every replica, although replicas share nothing but keys.

The replica that is asked signs a word of it and tells it the agents of that person, which pass it on to every
replica that they are connected to, and to those that start later. An agent that was taken over can keep a word
back; only who has the key can make one. An administrator may have anybody's host open, so all agents are told of
theirs. To a replica that starts an agent says what it knows before it says whom it serves: no host opens unheard.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, URLSafeSerializer

from kupyterhub_proxy.ended_sign_ins import Ended, EndedSignIns
from kupyterhub_proxy.visitor import Visitor
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_proxy.people import People
    from kupyterhub_proxy.registry import Registry

log = logging.getLogger(__name__)


class SignOuts:
    """Knows which sign-ins have ended before their time. `changed` is called when there is another one."""

    def __init__(self, key: bytes, registry: Registry, people: People, changed: Callable[[], None]) -> None:
        self._words = URLSafeSerializer(key, salt="sign-out")
        self._registry = registry
        self._people = people
        self._changed = changed
        self._ended = EndedSignIns()

    def has(self, visitor: Visitor) -> bool:
        """Whether this sign-in has been signed out, wherever that was."""
        return self._ended.has(visitor)

    def end(self, visitor: Visitor) -> None:
        """Sign out, at all replicas."""
        self.hear(str(self._words.dumps(visitor.fields())))

    def hear(self, word: str) -> None:
        """Take a word of a sign-out, and pass on what is new."""
        try:
            visitor = Visitor.read(self._words.loads(word))
        except BadData:
            log.warning("an agent passed on a word of a sign-out that no replica has made with this key")
            return
        now = datetime.now(UTC)
        if now >= visitor.until or self._ended.has(visitor):
            return
        ended = Ended(visitor, word)
        self._ended.add(ended, now)
        name = None if visitor.email in self._people.listed() else base_name(visitor.email)
        for agent in self._registry.told(name):
            agent.tell(_message(ended))
        self._changed()

    def of(self, email: str) -> list[dict[str, Any]]:
        """Give what an agent that serves this person is told."""
        return [_message(ended) for ended in self._ended.of(email)]

    def of_admins(self) -> list[dict[str, Any]]:
        """Give what every agent is told."""
        return [message for email in self._people.listed() for message in self.of(email)]


def _message(ended: Ended) -> dict[str, Any]:
    return {"type": "signedOut", "word": ended.word, "until": ended.visitor.until.isoformat()}
