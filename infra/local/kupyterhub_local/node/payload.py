"""Files of Secret, ConfigMap, downward API and projected volumes, swapped as a whole as a kubelet does it."""

import os
import shutil
import uuid
from pathlib import Path

from .domain.projection import File, Payload

_DATA = "..data"


def write_payload(folder: Path, payload: Payload) -> None:
    """Make the volume hold exactly these files; a reader sees all old or all new ones.

    Each version has a folder of its own; `..data` points to it, and every visible name into `..data`.
    """
    if _read(folder) == payload and (folder / _DATA).is_symlink():
        return
    folder.mkdir(parents=True, exist_ok=True)
    version = folder / f"..{uuid.uuid4().hex}"
    for name, file in payload.items():
        path = version / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(file.content)
        path.chmod(file.mode)
    version.mkdir(exist_ok=True)
    old = folder / os.readlink(folder / _DATA) if (folder / _DATA).is_symlink() else None  # noqa: PTH115 - a text
    fresh_link = folder / "..data_new"
    fresh_link.unlink(missing_ok=True)
    fresh_link.symlink_to(version.name)
    fresh_link.replace(folder / _DATA)
    _link_names(folder, {Path(name).parts[0] for name in payload})
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _link_names(folder: Path, names: set[str]) -> None:
    for present in folder.iterdir():
        if not present.name.startswith("..") and present.name not in names:
            present.unlink()
    for name in names:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(Path(_DATA, name))


def _read(folder: Path) -> dict[str, File]:
    data = folder / _DATA
    files = (path for path in data.rglob("*") if path.is_file()) if data.is_dir() else ()
    return {str(path.relative_to(data)): File(path.read_bytes(), path.stat().st_mode & 0o7777) for path in files}
