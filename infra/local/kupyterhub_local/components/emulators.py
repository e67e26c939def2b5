"""The jars of the Firestore and Pub/Sub emulators, and a Java that runs them."""

from dataclasses import dataclass
from pathlib import Path

from kupyterhub_local.components import cloud_sdk, firebase, java, npm
from kupyterhub_local.components.cache import cached
from kupyterhub_local.components.versions import Versions
from kupyterhub_local.errors import ComponentError, Unreachable
from kupyterhub_local.progress import Say, step


@dataclass(frozen=True)
class EmulatorPrograms:
    """Paths of the jars, and of the `java` that runs them."""

    java: Path
    firestore: Path
    pubsub: Path


async def get(versions: Versions, sdk: Path | None, cache: Path, say: Say) -> EmulatorPrograms:
    """From the Cloud SDK in the folder `sdk` where it has them, else downloaded; raises ComponentError."""
    runtime = java.find(versions.java.minimum)
    if sdk and (jars := cloud_sdk.emulators(sdk)):
        return EmulatorPrograms(runtime, *jars)

    async def make(folder: Path) -> None:
        async with step("downloading the Firestore and Pub/Sub emulators (190 MB, once)", say):
            try:
                await firebase.emulators(versions.firebase_tools, await npm.registry(), folder)
            except Unreachable as unreachable:
                raise ComponentError(
                    f"The emulators of Firestore and Pub/Sub are not here: {unreachable} Connect to the "
                    f"internet, or install them: {cloud_sdk.INSTALL}"
                ) from unreachable

    folder = await cached(cache / f"emulators-firebase-tools-{versions.firebase_tools.version}", make)
    return EmulatorPrograms(runtime, folder / firebase.FIRESTORE, folder / firebase.PUBSUB)
