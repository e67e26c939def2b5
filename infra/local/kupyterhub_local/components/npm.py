"""One package from the npm registry that this machine uses."""

import asyncio
import base64
import shutil
from pathlib import Path

from kupyterhub_local.components import cloud_sdk, download
from kupyterhub_local.components.download import Expected
from kupyterhub_local.components.versions import NpmPackage
from kupyterhub_local.errors import ComponentError


async def registry() -> str:
    """Return the registry that npm on this machine is set to use; raises ComponentError where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        raise ComponentError(
            "The emulators of Firestore and Pub/Sub are not here, and neither is npm, by which they would be found. "
            f"Install Node.js, or the emulators: {cloud_sdk.INSTALL}"
        )
    asked = await asyncio.create_subprocess_exec(
        *(npm, "config", "get", "registry"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    answer, _ = await asked.communicate()
    return answer.decode().strip()


async def tarball(name: str, package: NpmPackage, registry: str, path: Path) -> None:
    """Download the package's archive from a registry to `path`; raises Unreachable, CorruptDownload."""
    algorithm, _, digest = package.integrity.partition("-")
    url = f"{registry.rstrip('/')}/{name}/-/{name}-{package.version}.tgz"
    await download.file(url, path, Expected(algorithm, base64.b64decode(digest).hex()))
