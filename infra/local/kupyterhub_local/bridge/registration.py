"""Tells both emulators where their events go, and tells them again when one was started anew.

They keep triggers, topics and subscriptions in memory. An open connection to each shows the moment at which
one ends; neither closes a connection for being idle. Events are lost while an emulator or the bridge is away,
hence everybody is looked at after each registration.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from kupyterhub_local.bridge.emulators import AWAY, FirestoreEmulator, PubSubEmulator, why_away
from kupyterhub_local.bridge.routes import ANY_DOCUMENT, ANY_DOCUMENT_PATTERN, TOPICS, TRIGGERS
from kupyterhub_local.bridge.schedule import RESYNC_ALL

_PAUSE = timedelta(milliseconds=100)
_COMPLAIN_AFTER = 100  # attempts, of _PAUSE and a little more each

T = TypeVar("T")

log = logging.getLogger(__name__)


class Registration:
    """Whether the emulators send their events here, and what makes them do it."""

    def __init__(
        self, firestore: FirestoreEmulator, pubsub: PubSubEmulator, bridge: str, changed: Callable[[], None]
    ) -> None:
        """Have messages pushed to the bridge's URL. `changed` hears that documents may be others."""
        self._firestore = firestore
        self._pubsub = pubsub
        self._bridge = bridge
        self._changed = changed
        self.done = asyncio.Event()

    async def run(self) -> None:
        """Register, and again whenever an emulator went away, until cancelled."""
        while True:
            connections = [await _connected(address) for address in (self._firestore.address, self._pubsub.address)]
            try:
                await _until_it_works(self._register)
                self._changed()
                await _until_it_works(lambda: self._pubsub.publish("resync", RESYNC_ALL))
                self.done.set()
                log.info("registered with the emulators")
                await _any_ends([reader for reader, _ in connections])
            finally:
                self.done.clear()
                for _, writer in connections:
                    writer.close()
            log.warning("an emulator went away; waiting for it")

    async def _register(self) -> None:
        # Both at once: the first requests of a Java program that has just started take long.
        await asyncio.gather(self._register_triggers(), self._register_topics())

    async def _register_triggers(self) -> None:
        for trigger, pattern in TRIGGERS.items():
            await self._firestore.register(trigger, pattern)
        await self._firestore.register(ANY_DOCUMENT, ANY_DOCUMENT_PATTERN)

    async def _register_topics(self) -> None:
        for topic in TOPICS:
            await self._pubsub.create_topic(topic)
            await self._pubsub.push_to(topic, f"{self._bridge}/topics/{topic}")


async def _connected(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.rpartition(":")
    return await _until_it_works(lambda: asyncio.open_connection(host, int(port)))


async def _any_ends(readers: list[asyncio.StreamReader]) -> None:
    reads = [asyncio.ensure_future(reader.read()) for reader in readers]
    try:
        await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)


async def _until_it_works(attempt: Callable[[], Awaitable[T]]) -> T:
    attempts = 0
    while True:
        try:
            return await attempt()
        except AWAY as e:
            attempts += 1
            if attempts % _COMPLAIN_AFTER == 0:
                log.warning("still waiting for an emulator: %s", why_away(e))
            await asyncio.sleep(_PAUSE.total_seconds())
