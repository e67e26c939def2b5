"""Google's certificates and keys, by which what it signs is verified."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOGLE_CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
"""Those of identity tokens: PEM by key id. google-auth's own constant is private (google/oauth2/id_token.py)."""

_TIMEOUT = aiohttp.ClientTimeout(total=10)
# Google changes keys every few days and publishes the next one long before.
_FRESH_SECONDS = 3600.0
# A key that is not known may be new, or somebody's invention: that does not make us ask more often than this.
_ASK_SECONDS = 30.0

log = logging.getLogger(__name__)


class Certificates:
    """Those behind a URL: fetched when they are first needed, when they are old, and for a key that is not known."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._certificates: Mapping[str, str] = {}
        self._asked_at = 0.0
        self._asking = asyncio.Lock()

    async def of(self, key_id: str) -> Mapping[str, str]:
        """Give them all, with that of `key_id` if it exists; raises aiohttp.ClientError, TimeoutError."""
        async with self._asking:
            known = key_id in self._certificates
            if self._due(known=known):
                self._asked_at = asyncio.get_running_loop().time()
                try:
                    self._certificates = await self._fetch()
                except (aiohttp.ClientError, TimeoutError) as error:
                    if not known:
                        raise
                    log.warning("%s cannot be had: %s", self._url, type(error).__name__)
        return self._certificates

    def _due(self, *, known: bool) -> bool:
        age = asyncio.get_running_loop().time() - self._asked_at
        return not self._certificates or age > (_FRESH_SECONDS if known else _ASK_SECONDS)

    async def _fetch(self) -> Mapping[str, str]:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, raise_for_status=True) as session,
            session.get(self._url) as answer,
        ):
            return dict(await answer.json())
