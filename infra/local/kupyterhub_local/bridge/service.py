"""The whole bridge: the only wiring, from its options to its end by a signal."""

import asyncio
import logging
import signal
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from kupyterhub_local.bridge.delivery import Delivery, http_post
from kupyterhub_local.bridge.emulators import FirestoreEmulator, PubSubEmulator
from kupyterhub_local.bridge.event_queue import EventQueue
from kupyterhub_local.bridge.exporter import Exporter
from kupyterhub_local.bridge.registration import Registration
from kupyterhub_local.bridge.schedule import run_schedule
from kupyterhub_local.bridge.server import Inbox, make_app
from kupyterhub_local.bridge.snapshot_folder import SnapshotFolder

_STOP_SECONDS = 3.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """Where everything is. Addresses are host:port; `functions` is a URL without a slash at its end."""

    project: str
    listen: str
    functions: str
    firestore: str
    pubsub: str
    queue: Path
    snapshots: Path


async def serve(options: Options) -> None:
    """Run until SIGTERM or SIGINT, then take a last snapshot. Raises OSError if it cannot listen."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with EventQueue(options.queue) as queue:
        async with aiohttp.ClientSession() as session:
            await _serve(options, queue, session, stop)


async def _serve(options: Options, queue: EventQueue, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
    firestore = FirestoreEmulator(session, options.firestore, options.project)
    pubsub = PubSubEmulator(session, options.pubsub, options.project)
    delivery = Delivery(queue, http_post(session, options.functions))
    exporter = Exporter(SnapshotFolder(options.snapshots), firestore.export)
    registration = Registration(firestore, pubsub, f"http://{options.listen}", exporter.changed)
    inbox = Inbox(options.project, queue, delivery.wake, exporter.changed, registration.done.is_set)
    # An event is taken in at once; a request that is only half there at the end is not waited for long.
    runner = web.AppRunner(make_app(inbox), access_log=None, shutdown_timeout=_STOP_SECONDS)
    await runner.setup()
    try:
        host, _, port = options.listen.rpartition(":")
        await web.TCPSite(runner, host, int(port)).start()
        async with asyncio.TaskGroup() as tasks:
            parts = [
                tasks.create_task(part)
                for part in (delivery.run(), exporter.run(), registration.run(), run_schedule(pubsub.publish))
            ]
            await stop.wait()
            was_registered = registration.done.is_set()
            for part in parts:
                part.cancel()
        if was_registered:
            await exporter.finish()
    finally:
        await runner.cleanup()
    log.info("%d events wait for the next start", len(queue))
