"""One package from an npm registry, without Node.js."""

import asyncio
import base64
import shutil
from pathlib import Path

from kupyterhub_local.components import download
from kupyterhub_local.components.download import Expected
from kupyterhub_local.components.versions import NpmPackage


async def registry(default: str) -> str:
    """Return the registry that npm on this machine is set to use; `default` where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        return default
    asked = await asyncio.create_subprocess_exec(
        *(npm, "config", "get", "registry"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    answer, _ = await asked.communicate()
    return answer.decode().strip() or default


async def tarball(name: str, package: NpmPackage, path: Path) -> None:
    """Download the package's archive to `path`; raises Unreachable, CorruptDownload."""
    algorithm, _, digest = package.integrity.partition("-")
    url = f"{package.registry.rstrip('/')}/{name}/-/{name}-{package.version}.tgz"
    await download.file(url, path, Expected(algorithm, base64.b64decode(digest).hex()))
