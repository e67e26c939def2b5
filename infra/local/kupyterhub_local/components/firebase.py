"""The emulators, from where Firebase's npm package says that Google publishes them, with size and digest."""

import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from kupyterhub_local.components import download, npm
from kupyterhub_local.components.download import Expected
from kupyterhub_local.components.versions import NpmPackage
from kupyterhub_local.errors import CorruptDownload

CATALOGUE = "package/lib/emulator/downloadableEmulatorInfo.json"
FIRESTORE = "firestore.jar"
PUBSUB = "pubsub.jar"


async def emulators(package: NpmPackage, registry: str, folder: Path) -> None:
    """Put `firestore.jar` and `pubsub.jar` into `folder`; raises Unreachable, CorruptDownload."""
    archive = folder / "firebase-tools.tgz"
    await npm.tarball("firebase-tools", package, registry, archive)
    catalogue = _catalogue(archive)
    archive.unlink()
    await _published(catalogue["firestore"], folder / FIRESTORE)
    bundle = folder / "pubsub.zip"
    await _published(catalogue["pubsub"], bundle)
    with zipfile.ZipFile(bundle) as files:
        jars = [name for name in files.namelist() if name.endswith("-all.jar")]
        if len(jars) != 1:
            raise CorruptDownload(f"{catalogue['pubsub']['remoteUrl']} holds {len(jars)} emulators, not one.")
        (folder / PUBSUB).write_bytes(files.read(jars[0]))
    bundle.unlink()


def _catalogue(archive: Path) -> dict[str, Any]:
    with tarfile.open(archive) as files:
        member = files.extractfile(CATALOGUE)
        if member is None:
            raise CorruptDownload(f"firebase-tools has no file {CATALOGUE}; versions.toml names a wrong version.")
        catalogue: dict[str, Any] = json.load(member)
    return catalogue


async def _published(entry: dict[str, Any], path: Path) -> None:
    expected = Expected("sha256", entry["expectedChecksumSHA256"], entry["expectedSize"])
    await download.file(entry["remoteUrl"], path, expected)
