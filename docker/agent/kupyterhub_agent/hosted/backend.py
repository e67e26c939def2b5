"""The service's paths for one registered person: `agent/pending`, `agent/request`, `agent/response`."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn

import aiohttp

from kupyterhub_agent.hosted.errors import Forgotten, ServiceUnavailable
from kupyterhub_tunnel.wire import BACKEND_HEADER, REQUEST_HEADER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kupyterhub_agent.hosted.credentials import Credentials
    from kupyterhub_agent.hosted.registration import Registration

MOST_LIST_BYTES = 1024 * 1024
"""Of a list of pending requests; Google's agent takes no more either."""

POLL_SECONDS = 60.0
"""The service answers an empty list after about 30 s."""

# What is carried takes as long as it takes; only connecting is bounded.
_CARRYING = aiohttp.ClientTimeout(total=None, sock_connect=10)
_POLLING = aiohttp.ClientTimeout(total=POLL_SECONDS, sock_connect=10)
_FORGOTTEN = frozenset({401, 403, 404, 410})


class RequestGone(Exception):
    """The service has that request no longer: the browser went away."""


class Backend:
    """One registration, and a session with the cookies that the service gave it."""

    def __init__(self, session: aiohttp.ClientSession, credentials: Credentials, registration: Registration) -> None:
        self._session = session
        self._credentials = credentials
        self._root = f"{registration.proxy}/"
        self._backend_id = registration.backend_id

    async def pending(self) -> list[str]:
        """Wait for requests and list their ids; raises Forgotten, ServiceUnavailable, MetadataUnavailable."""
        url, headers = f"{self._root}agent/pending", await self._headers()
        try:
            # Redirects are not followed: the headers prove who we are.
            async with self._session.get(url, headers=headers, timeout=_POLLING, allow_redirects=False) as answer:
                if answer.status in _FORGOTTEN:
                    raise Forgotten(f"the service answered {answer.status} to a poll")
                if answer.status == 408:  # noqa: PLR2004 - it waited long enough
                    return []
                if answer.status != 200:  # noqa: PLR2004
                    raise ServiceUnavailable(f"the service answered {answer.status} to a poll")
                return _ids(await _read(answer))
        except TimeoutError:
            return []
        except aiohttp.ClientError as error:
            raise ServiceUnavailable(f"a poll got no answer ({type(error).__name__})") from error

    @asynccontextmanager
    async def request(self, request_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Give the bytes of a carried request; raises RequestGone, ServiceUnavailable, MetadataUnavailable."""
        url, headers = f"{self._root}agent/request", await self._headers(request_id)
        try:
            async with self._session.get(url, headers=headers, timeout=_CARRYING, allow_redirects=False) as answer:
                if answer.status != 200:  # noqa: PLR2004
                    _fail(answer.status)
                yield answer.content.iter_any()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceUnavailable(f"a request broke off ({type(error).__name__})") from error

    async def respond(self, request_id: str, body: AsyncIterator[bytes]) -> None:
        """Post a carried answer; raises RequestGone, ServiceUnavailable, MetadataUnavailable."""
        url = f"{self._root}agent/response"
        headers = {**await self._headers(request_id), "Content-Type": "text/plain"}
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=_CARRYING, allow_redirects=False
            ) as answer:
                if answer.status != 200:  # noqa: PLR2004
                    _fail(answer.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceUnavailable(f"an answer broke off ({type(error).__name__})") from error

    async def _headers(self, request_id: str = "") -> dict[str, str]:
        headers = {BACKEND_HEADER: self._backend_id, **await self._credentials.headers(self._root)}
        return {**headers, REQUEST_HEADER: request_id} if request_id else headers


def _fail(status: int) -> NoReturn:
    if status == 429 or status >= 500:  # noqa: PLR2004
        raise ServiceUnavailable(f"the service answered {status}")
    raise RequestGone(f"the service answered {status}")


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > MOST_LIST_BYTES:
            raise ServiceUnavailable("the service's list of requests is too long")
    return bytes(body)


def _ids(body: bytes) -> list[str]:
    try:
        listed = json.loads(body or "[]") or []
    except ValueError as error:
        raise ServiceUnavailable("the service's list of requests is no JSON") from error
    if not isinstance(listed, list) or not all(isinstance(entry, str) and entry.isprintable() for entry in listed):
        raise ServiceUnavailable("the service's list of requests has another form")
    return listed
