"""`python -m kupyterhub_local run`: the system in the foreground, until Ctrl-C."""

import asyncio
import signal
from contextlib import suppress
from datetime import UTC, datetime

import aiohttp
from rich.console import Console

from kupyterhub import settings
from kupyterhub.domain.errors import SettingsError
from kupyterhub_local import addresses, lock, sockets, state
from kupyterhub_local.addresses import HOST, Addresses
from kupyterhub_local.components import machine
from kupyterhub_local.components.cache import user_cache
from kupyterhub_local.errors import LocalError
from kupyterhub_local.state import StateFolder
from kupyterhub_local.supervisor import Supervisor
from kupyterhub_local.system import LocalSystem
from kupyterhub_local.users import Users
from kupyterhub_local.view import View

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
REFRESH_SECONDS = 1.0


async def run(email: str) -> None:
    """Run until a signal ends it; raises LocalError."""
    machine.require_programs()
    folder = state.of_checkout()
    view = View(Console(), since=datetime.now(UTC))
    with lock.held(folder.lock):
        chosen = addresses.choose(folder.addresses, user_cache() / "addresses", sockets.listeners())
        folder.prepare(chosen.domain)
        check_settings(folder, chosen)
        await addresses.require_free(chosen, folder.addresses)
        supervisor = Supervisor(folder.logs, view.say)
        work = asyncio.create_task(_work(LocalSystem(folder, chosen, view.say), supervisor, view, email))
        for number in ENDING_SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        try:
            await work
        except asyncio.CancelledError:
            view.close()
            view.say("Ending everything.")
        finally:
            view.close()
            await supervisor.stop()


async def _work(system: LocalSystem, supervisor: Supervisor, view: View, email: str) -> None:
    ports = system.addresses.ports
    await system.start(supervisor)
    view.say(f"The portal: {system.addresses.portal}")
    async with Users(f"{HOST}:{ports.firestore}", f"{HOST}:{ports.pubsub}") as users:
        await users.enrol(email)
        await users.resync()
        while True:
            # Firestore may have ended; the supervisor says so, and starts it again.
            with suppress(TimeoutError, aiohttp.ClientError):
                view.show(await users.all())
            await asyncio.sleep(REFRESH_SECONDS)


def check_settings(folder: StateFolder, chosen: Addresses) -> None:
    """Say what is wrong with the settings now rather than at the first event; tell the proxy who administrates.

    Raises LocalError.
    """
    try:
        read = settings.load(folder.settings)
    except SettingsError as error:
        raise LocalError(str(error)) from error
    if read.proxy != "local":
        raise LocalError(f"{folder.settings} says proxy: {read.proxy}; on one machine it is local. Write that.")
    if read.domain != chosen.domain:
        raise LocalError(
            f"{folder.settings} says domain: {read.domain}; this checkout's proxy is at {chosen.domain}. "
            "Write that instead."
        )
    folder.admins.write_text("".join(f"{admin}\n" for admin in read.admins))
