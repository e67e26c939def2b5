"""The files of this machine, as the mount plan asks for them."""

import os
from collections.abc import Iterable
from pathlib import Path


class LocalHost:
    """The file tree that the node itself sees."""

    def resolve(self, path: str) -> str:
        """Return the path without symbolic links."""
        return os.path.realpath(path)

    def exists(self, path: str) -> bool:
        """Say whether there is something at the path."""
        return Path(path).exists()

    def children(self, path: str) -> Iterable[str]:
        """Return the names in a directory."""
        return os.listdir(path)  # noqa: PTH208 - names are wanted, not paths

    def link(self, path: str) -> str | None:
        """Return what a symbolic link says, or None where there is none."""
        return str(Path(path).readlink()) if Path(path).is_symlink() else None
