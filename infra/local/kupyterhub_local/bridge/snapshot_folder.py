"""The folder of snapshots: `current` is a symlink to the newest complete one. No emulator here.

A snapshot is complete when the emulator has said so; only then is `current` swapped, by a rename, so that a
kill at any time leaves it pointing to a whole one. Nothing is flushed: a killed process loses no written
page.
"""

import shutil
import time
from pathlib import Path

_CURRENT = "current"
_PREFIX = "export-"
_METADATA = "*.overall_export_metadata"


def latest_snapshot(folder: Path) -> Path | None:
    """Give the file for the Firestore emulator's `--seed_from_export`, or None where there is no snapshot."""
    try:
        current = (folder / _CURRENT).resolve(strict=True)
    except FileNotFoundError:
        return None
    return next(current.glob(_METADATA), None)


class SnapshotFolder:
    """Makes place for snapshots, and shows the newest."""

    def __init__(self, folder: Path) -> None:
        """Open or make `folder`, and remove what a killed process left half-written."""
        self.path = folder.resolve()
        self.path.mkdir(parents=True, exist_ok=True)
        self._remove_all_but_current()

    def new_name(self) -> str:
        """Give a name for the next snapshot that no earlier one has."""
        return f"{_PREFIX}{time.time_ns()}"

    def publish(self, name: str) -> None:
        """Let `current` be the complete snapshot `name`, and remove the older. Raises FileNotFoundError."""
        if next((self.path / name).glob(_METADATA), None) is None:
            raise FileNotFoundError(f"{self.path / name} holds no {_METADATA}: the export is not complete")
        new_link = self.path / f"{_CURRENT}.new"
        new_link.unlink(missing_ok=True)
        new_link.symlink_to(name)
        new_link.replace(self.path / _CURRENT)
        self._remove_all_but_current()

    def discard(self, name: str) -> None:
        """Remove what a failed export left."""
        shutil.rmtree(self.path / name, ignore_errors=True)

    def _remove_all_but_current(self) -> None:
        current = (self.path / _CURRENT).resolve()
        for old in self.path.glob(f"{_PREFIX}*"):
            if old != current:
                shutil.rmtree(old, ignore_errors=True)
