"""A sign-in that is under way at an OpenID provider: kept signed in the browser, so any replica finishes it.

Each attempt has a cookie of its own, since several tabs may sign in at once. It holds what only the browser
that began may bring back: the state, the nonce of the ID token, and the verifier of the code (RFC 7636).
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from kupyterhub_proxy.passing import Passing
from kupyterhub_proxy.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from kupyterhub_proxy.cookies import Cookies

ATTEMPT_SECONDS = 10 * 60
_AT_ONCE = 5


def _random() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in under way."""

    wanted: Wanted
    state: str = field(default_factory=_random)
    nonce: str = field(default_factory=_random)
    verifier: str = field(default_factory=_random)


class Attempts:
    """Writes and reads them."""

    def __init__(self, key: bytes, cookies: Cookies) -> None:
        self._cookies = cookies
        self._signed = Passing(key, "attempt", ATTEMPT_SECONDS)
        self._prefix = cookies.name("attempt-")

    def begin(self, response: web.StreamResponse, cookies: Mapping[str, str], wanted: Wanted) -> Attempt:
        """Begin one. The oldest go: a page that begins hundreds must not fill the browser's header."""
        attempt = Attempt(wanted)
        for name in [name for name in cookies if name.startswith(self._prefix)][: 1 - _AT_ONCE]:
            self._cookies.delete(response, name)
        value = self._signed.dumps(asdict(attempt))
        self._cookies.set(response, self._name(attempt.state), value, ATTEMPT_SECONDS)
        return attempt

    def find(self, cookies: Mapping[str, str], state: str) -> Attempt | None:
        """Give the attempt of this browser that has this state, if it is not too old."""
        fields = self._signed.loads(cookies.get(self._name(state), ""))
        if fields is None:
            return None
        attempt = Attempt(Wanted(**fields.pop("wanted")), **fields)
        return (
            attempt
            if secrets.compare_digest(attempt.state.encode(), state.encode(errors="surrogateescape"))
            else None
        )

    def end(self, response: web.StreamResponse, attempt: Attempt) -> None:
        """Forget one: it has been answered."""
        self._cookies.delete(response, self._name(attempt.state))

    def _name(self, state: str) -> str:
        return f"{self._prefix}{state[:16]}"
