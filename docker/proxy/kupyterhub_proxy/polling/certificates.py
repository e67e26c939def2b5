"""Google's certificates, by which its identity tokens are verified."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOGLE_CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
"""PEM by key id; google-auth's own constant for them is private (google/oauth2/id_token.py)."""

_TIMEOUT = aiohttp.ClientTimeout(total=10)
# Google changes keys every few days and publishes the next one long before.
_FRESH_SECONDS = 3600.0
# A token with an unknown key may be junk: junk does not make us ask more often than this.
_ASK_SECONDS = 30.0


class Certificates:
    """Those behind a URL, fetched when they are first needed, when they are old, and for a key that is not known."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._certificates: Mapping[str, str] = {}
        self._asked_at: float | None = None
        self._asking = asyncio.Lock()

    async def of(self, key_id: str) -> Mapping[str, str]:
        """Give them all, with that of `key_id` if it exists; raises aiohttp.ClientError, TimeoutError."""
        async with self._asking:
            if self._stale(known=key_id in self._certificates):
                self._asked_at = asyncio.get_running_loop().time()
                async with (
                    aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session,
                    session.get(self._url) as answer,
                ):
                    self._certificates = await answer.json()
        return self._certificates

    def _stale(self, *, known: bool) -> bool:
        if self._asked_at is None:
            return True
        age = asyncio.get_running_loop().time() - self._asked_at
        return age > (_FRESH_SECONDS if known else _ASK_SECONDS)
