"""`python -m kupyterhub_agent`: reads the environment, wires the parts, runs until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

from kupyterhub_agent.forward import Forwarder
from kupyterhub_agent.health import serving_health
from kupyterhub_agent.notebook import Location, Notebook
from kupyterhub_agent.server_link import ServerLink
from kupyterhub_agent.settings import Settings, SettingsError, read
from kupyterhub_agent.watch import Watch

DRAIN_SECONDS = 5.0


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then let requests end before the connection is closed."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Notebook(Location(settings.backend, settings.token_file)) as notebook:
        forwarder = Forwarder(notebook, settings.origin)
        link = ServerLink(settings, forwarder.serve_stream)
        async with serving_health(link, settings.pod_ip):
            running = [asyncio.create_task(link.run()), asyncio.create_task(Watch(notebook, link).run())]
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait([*running, stopped], return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                await forwarder.drain(DRAIN_SECONDS)
            for task in (*running, stopped):
                task.cancel()
            results = await asyncio.gather(*running, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


def main() -> None:
    """Start the agent."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        settings = read(os.environ)
    except SettingsError as error:
        sys.exit(f"kupyterhub_agent: {error}")
    asyncio.run(run(settings))


if __name__ == "__main__":
    main()
