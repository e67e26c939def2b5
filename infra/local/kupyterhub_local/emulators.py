"""Google's emulators of Firestore and Pub/Sub, as services on loopback."""

from contextlib import suppress
from pathlib import Path

import aiohttp

from kupyterhub_local.addresses import HOST, Addresses
from kupyterhub_local.bridge.snapshot_folder import latest_snapshot
from kupyterhub_local.components import aot
from kupyterhub_local.components.aot import Program
from kupyterhub_local.components.cache import user_cache
from kupyterhub_local.components.emulators import EmulatorPrograms
from kupyterhub_local.progress import Say, step
from kupyterhub_local.supervisor import Service
from kupyterhub_local.users import Users

FIRESTORE_MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
# Quick to start and small rather than fast in the long run: these serve one person.
JAVA_OPTIONS = ("-Duser.language=en", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
HEALTH_SECONDS = 1.0


async def firestore(programs: EmulatorPrograms, addresses: Addresses, snapshots: Path, say: Say) -> Service:
    """Firestore, with the documents of the last snapshot in `snapshots`, sending its events to the bridge."""
    ports = addresses.ports
    program = [
        *JAVA_OPTIONS,
        *("-cp", str(programs.firestore), FIRESTORE_MAIN),
        f"--host={HOST}",
        f"--port={ports.firestore}",
        f"--websocket_port={ports.firestore_websocket}",
    ]

    async def exercise() -> None:
        async with Users(f"{HOST}:{ports.firestore}", f"{HOST}:{ports.pubsub}") as users:
            # A machine that is too busy to answer gets a poorer cache, and is no reason not to start.
            with suppress(TimeoutError, aiohttp.ClientError):
                await users.enrol("you@example.com")
                await users.all()

    java = await _java(programs.java, Program(program, programs.firestore, ports.firestore, exercise), say)

    def command() -> list[str]:
        snapshot = latest_snapshot(snapshots)
        seed = [f"--seed_from_export={snapshot}"] if snapshot else []
        return [*java, f"--functions_emulator={HOST}:{ports.bridge}", *seed]

    async def ready() -> bool:
        return await answers(f"http://{HOST}:{ports.firestore}/")

    return Service("firestore", command, ready)


async def pubsub(programs: EmulatorPrograms, addresses: Addresses, say: Say) -> Service:
    """Pub/Sub; the bridge makes topics and subscriptions, and again after a new start."""
    port = addresses.ports.pubsub
    program = [*JAVA_OPTIONS, "-jar", str(programs.pubsub), f"--host={HOST}", f"--port={port}"]

    async def ready() -> bool:
        return await answers(f"http://{HOST}:{port}/")

    async def exercise() -> None:
        await ready()

    java = await _java(programs.java, Program(program, programs.pubsub, port, exercise), say)
    return Service("pubsub", lambda: java, ready)


async def answers(url: str) -> bool:
    """Look once whether `url` answers, and with success. To lead elsewhere is one, as the portal does."""
    timeout = aiohttp.ClientTimeout(total=HEALTH_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            return answer.ok
    except (TimeoutError, aiohttp.ClientError):
        return False


async def _java(java: Path, program: Program, say: Say) -> list[str]:
    async with step(f"preparing quick starts of {program.jar.name} (once)", say):
        cache = await aot.trained(java, program, user_cache())
    return [str(java), f"-XX:AOTCache={cache}", *program.arguments]
