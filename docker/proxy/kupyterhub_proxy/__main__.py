"""`python -m kupyterhub_proxy`: reads the environment, wires the parts, runs until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

import uvloop

from kupyterhub_proxy.bootstrap import build
from kupyterhub_proxy.environment import SettingsError
from kupyterhub_proxy.server import serving, serving_health
from kupyterhub_proxy.settings import Settings, read
from kupyterhub_tunnel.agent_events import Outbox
from kupyterhub_tunnel.memory import keeping_freed_memory
from kupyterhub_tunnel.pubsub import PubSubPublisher

log = logging.getLogger("kupyterhub_proxy")


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    publisher = PubSubPublisher(settings.topic)
    outbox = Outbox(publisher)
    with keeping_freed_memory():
        async with serving(build(settings, outbox), settings), serving_health(settings.health_listen):
            log.info("listening on %s:%s for *.%s", *settings.listen, settings.hosts.domain)
            await stop.wait()
    await outbox.close(2)
    await publisher.close()


def main() -> None:
    """Start the server."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        settings = read(os.environ)
        uvloop.run(run(settings))
    except (SettingsError, OSError) as error:
        sys.exit(f"kupyterhub_proxy: {error}")


if __name__ == "__main__":
    main()
