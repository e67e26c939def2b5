# ruff: noqa: INP001 - a script, of no package
"""Packs what Cloud Functions build and run, from the repository's root, into infra/gcp/functions.zip.

The same files give the same bytes: Terraform names the archive by its hash, and builds the functions anew when they
changed and only then. What goes in is what .gcloudignore lets through for `gcloud functions deploy`.
"""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
ARCHIVE = Path(__file__).with_name("functions.zip")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold
_READABLE = 0o644 << 16


def files(checkout: Path) -> Iterator[Path]:
    """Name the files that go in, relative to the checkout, in order."""
    yield Path("requirements.txt")
    for path in sorted((checkout / "functions").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(checkout)


def package(checkout: Path, archive: Path) -> None:
    """Write the archive."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in files(checkout):
            entry = zipfile.ZipInfo(path.as_posix(), date_time=_LONG_AGO)
            entry.external_attr = _READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, (checkout / path).read_bytes())


if __name__ == "__main__":
    package(CHECKOUT, ARCHIVE)
    sys.stdout.write(f"{ARCHIVE}\n")
