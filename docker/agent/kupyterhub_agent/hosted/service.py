"""Google's service as all persons of this agent share it, from when the agent began to serve."""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp

from kupyterhub_agent.hosted.config import CONFIG_URL
from kupyterhub_agent.hosted.credentials import Credentials
from kupyterhub_agent.hosted.errors import MetadataUnavailable
from kupyterhub_agent.hosted.metadata import MetadataServer, metadata_host
from kupyterhub_agent.hosted.registration import Registrar

if TYPE_CHECKING:
    from kupyterhub_tunnel.agent_events import Publisher

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where Google's side is found; other places are for tests."""

    metadata_host: str = field(default_factory=lambda: metadata_host(os.environ))
    config_url: str = CONFIG_URL
    vm_look_seconds: float = 30.0
    """How often to look whether the VM is still the same: a suspended one may be another when it goes on."""


@dataclass(slots=True)
class Service:
    """What is needed to serve a person."""

    publisher: Publisher
    instance: str
    """The agent's pod uid, for its events."""
    connector: aiohttp.BaseConnector
    metadata: MetadataServer
    credentials: Credentials
    registrar: Registrar
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    """No announcement is older: what another agent has said before is no longer true."""
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the VM is another; then there is a new event for the next time."""

    @classmethod
    def at(cls, place: Place, session: aiohttp.ClientSession, publisher: Publisher, instance: str) -> Service:
        """Wire it on a session that the caller closes."""
        assert session.connector is not None  # noqa: S101 - a closed session has none
        metadata = MetadataServer(session, place.metadata_host)
        credentials = Credentials(metadata)
        registrar = Registrar(session, metadata, credentials, place.config_url)
        return cls(publisher, instance, session.connector, metadata, credentials, registrar)

    def person_session(self) -> aiohttp.ClientSession:
        """Make a session with cookies of its own: the service keeps a person's requests together by them."""
        return aiohttp.ClientSession(connector=self.connector, connector_owner=False)

    async def watch_vm(self, look_seconds: float) -> None:
        """Look until cancelled, and have everybody registered again when the VM has become another."""
        known = ""
        while True:
            try:
                seen = await self.metadata.vm_id()
            except MetadataUnavailable as error:
                log.warning("%s", error)
            else:
                if known not in {"", seen}:
                    log.warning("this is another VM now: everybody is registered again")
                    self.registrar.forget()
                    self.moved.set()
                    self.moved = asyncio.Event()
                known = seen
            await asyncio.sleep(look_seconds)
