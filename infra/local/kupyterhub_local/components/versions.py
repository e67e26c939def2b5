"""versions.toml as values. Publishers' addresses are values too: tests put a server of their own in."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).with_name("versions.toml")


@dataclass(frozen=True)
class Release:
    """Something published under `releases`, in a folder named by its version (with the leading v)."""

    version: str
    releases: str


@dataclass(frozen=True)
class NpmPackage:
    """A package of an npm registry; `integrity` is npm's: the algorithm, a dash, the digest in base64."""

    version: str
    integrity: str


@dataclass(frozen=True)
class Java:
    """`minimum` is a major version."""

    minimum: int


@dataclass(frozen=True)
class Versions:
    """Everything in versions.toml."""

    kubernetes: Release
    etcd: Release
    firebase_tools: NpmPackage
    java: Java


def read(file: Path = FILE) -> Versions:
    """Read the versions; the file is our own, so a mistake in it is a bug and raises as it comes."""
    tables = tomllib.loads(file.read_text())
    return Versions(
        kubernetes=Release(**tables["kubernetes"]),
        etcd=Release(**tables["etcd"]),
        firebase_tools=NpmPackage(**tables["firebase_tools"]),
        java=Java(**tables["java"]),
    )
