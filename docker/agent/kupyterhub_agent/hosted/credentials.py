"""The tokens that go with each request to the service, got anew before they expire."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from kupyterhub_tunnel.wire import VM_HEADER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kupyterhub_agent.hosted.metadata import Token

MARGIN_SECONDS = 120.0
"""A token is got anew so long before its end; the metadata server itself gives others from five minutes on."""


class TokenSource(Protocol):
    """Where tokens come from: metadata.MetadataServer."""

    async def vm_token(self, audience: str) -> Token:
        """Get the VM's identity token."""

    async def access_token(self) -> Token:
        """Get an access token."""


class Credentials:
    """Keeps tokens for all persons, and asks once for many that want the same."""

    def __init__(self, source: TokenSource, now: Callable[[], float] = time.time) -> None:
        self._source = source
        self._now = now
        self._tokens: dict[str, Token] = {}
        self._asking = asyncio.Lock()

    async def headers(self, audience: str) -> dict[str, str]:
        """Give the headers that prove this VM to one audience; raises MetadataUnavailable."""
        access = await self._token("", self._source.access_token)
        vm = await self._token(audience, lambda: self._source.vm_token(audience))
        return {"Authorization": f"Bearer {access}", VM_HEADER: vm}

    def forget(self) -> None:
        """Ask anew next time: the VM is another, or the service did not take them."""
        self._tokens.clear()

    async def _token(self, key: str, ask: Callable[[], Awaitable[Token]]) -> str:
        async with self._asking:
            token = self._tokens.get(key)
            if token is None or token.expires_at - self._now() < MARGIN_SECONDS:
                token = self._tokens[key] = await ask()
            return token.value
