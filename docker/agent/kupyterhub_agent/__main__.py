"""`python -m kupyterhub_agent`: reads the environment and runs until SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys

import uvloop

from kupyterhub_agent.bootstrap import running
from kupyterhub_agent.health import serving_health
from kupyterhub_agent.settings import Settings, SettingsError, read
from kupyterhub_tunnel.memory import keeping_freed_memory

DRAIN_SECONDS = 10.0
"""Within Kubernetes' 30 s between SIGTERM and SIGKILL."""


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; then let requests end before the connections are closed."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with keeping_freed_memory():
        async with running(settings) as agent, serving_health(agent.ready, settings.pod_ip):
            await stop.wait()
            await agent.drain(DRAIN_SECONDS)


def main() -> None:
    """Start the agent."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        uvloop.run(run(read(os.environ)))
    except SettingsError as error:
        sys.exit(f"kupyterhub_agent: {error}")


if __name__ == "__main__":
    main()
