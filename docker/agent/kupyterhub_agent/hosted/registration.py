"""Registering with Google's service: the proxy that takes this VM, and a host name for each person."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from kupyterhub_agent.hosted.config import CONFIG_URL, candidates
from kupyterhub_agent.hosted.errors import HostedError, NoProxy, Refused, ServiceUnavailable

if TYPE_CHECKING:
    from kupyterhub_agent.hosted.credentials import Credentials
    from kupyterhub_agent.hosted.metadata import MetadataServer

AT_ONCE = 16
"""Registrations under way at a time: a shared agent begins with everybody's."""

_ACCEPTS_VM = 307
_TIMEOUT = aiohttp.ClientTimeout(total=30)
_HOSTNAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_BACKEND_ID = re.compile(r"[!-~]{1,1024}")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Registration:
    """One person at the service."""

    proxy: str
    """The proxy's URL, without a slash at its end."""
    hostname: str
    backend_id: str

    @property
    def origin(self) -> str:
        """The person's URL without its slash."""
        return f"https://{self.hostname}"


class Registrar:
    """Registers persons, all with one proxy."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        metadata: MetadataServer,
        credentials: Credentials,
        config_url: str = CONFIG_URL,
    ) -> None:
        self._session = session
        self._metadata = metadata
        self._credentials = credentials
        self._config_url = config_url
        self._proxy: str | None = None
        self._choosing = asyncio.Lock()
        self._slots = asyncio.Semaphore(AT_ONCE)

    def forget(self) -> None:
        """Choose the proxy anew, with new tokens: the VM is another."""
        self._proxy = None
        self._credentials.forget()

    async def register(self, email: str) -> Registration:
        """Register a person's e-mail; raises HostedError. Where that is known already, the answer is the same."""
        async with self._slots:
            proxy = await self._chosen()
            endpoint = f"{proxy}/request-endpoint"
            headers = await self._credentials.headers(endpoint)
            try:
                answer = await self._json("POST", endpoint, headers=headers, data=email.encode())
            except HostedError:
                self._proxy = None  # another one may do better
                raise
        try:
            hostname, backend_id = answer["hostname"].lower(), answer["backendID"]
            if _HOSTNAME.fullmatch(hostname) and _BACKEND_ID.fullmatch(backend_id):
                return Registration(proxy, hostname, backend_id)
        except (TypeError, KeyError, AttributeError) as error:
            raise ServiceUnavailable("the service's registration has another form") from error
        raise ServiceUnavailable("the service's registration names no host")

    async def _chosen(self) -> str:
        async with self._choosing:
            if self._proxy is None:
                self._proxy = await self._choose()
                log.info("the proxy is %s", self._proxy)
            return self._proxy

    async def _choose(self) -> str:
        zone = await self._metadata.zone()
        config = await self._json("GET", self._config_url)
        for url in candidates(config, zone):
            if await self._accepts(url):
                return url.rstrip("/")
        raise NoProxy(f"none of Google's proxies for the zone {zone} takes this VM")

    async def _accepts(self, url: str) -> bool:
        try:
            async with self._session.head(url, allow_redirects=False, timeout=_TIMEOUT) as answer:
                return answer.status == _ACCEPTS_VM
        except (aiohttp.ClientError, TimeoutError) as error:
            log.warning("%s does not answer (%s)", url, type(error).__name__)
            return False

    async def _json(self, method: str, url: str, **more: Any) -> Any:
        try:
            async with self._session.request(method, url, allow_redirects=False, timeout=_TIMEOUT, **more) as answer:
                if answer.status == 429 or answer.status >= 500:  # noqa: PLR2004
                    raise ServiceUnavailable(f"{url} answered {answer.status}")
                if answer.status != 200:  # noqa: PLR2004
                    raise Refused(f"{url} answered {answer.status}")
                return json.loads(await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServiceUnavailable(f"no answer from {url} ({type(error).__name__})") from error
        except ValueError as error:
            raise ServiceUnavailable(f"{url} answered what is no JSON") from error
