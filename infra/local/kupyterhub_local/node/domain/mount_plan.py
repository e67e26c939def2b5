"""Which mounts give a container a file tree of its own and make nothing on the host. Pure.

The tree is the host's, bound as it is. Where a mountPath does not exist on the host, its deepest existing
ancestor is covered by a tmpfs with the host's children bound into it, and what is missing is made there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Protocol

from .manifests import ConfigError


@dataclass(frozen=True)
class Mount:
    """A volume's folder or file on the host, and where the container sees it."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Step:
    """One mount for the launcher, below the container's root; a missing target is made there."""

    action: Literal["bind", "tmpfs", "symlink"]
    source: str
    target: str
    read_only: bool = False


class HostTree(Protocol):
    """What the plan must know about the host's files."""

    def resolve(self, path: str) -> str:
        """Return the path without symbolic links; what does not exist is kept as it stands."""

    def exists(self, path: str) -> bool:
        """Say whether there is something at the path."""

    def children(self, path: str) -> Iterable[str]:
        """Return the names in a directory."""

    def link(self, path: str) -> str | None:
        """Return what a symbolic link says, or None where there is none."""


def mount_plan(mounts: Iterable[Mount], keep: Sequence[str], host: HostTree) -> list[Step]:
    """Return the steps in order. `keep` are paths of the host that no volume may hide (this Python).

    Raises ConfigError for a mountPath that cannot be.
    """
    resolved = [Mount(each.source, _target(each, host), each.read_only) for each in mounts]
    volumes = sorted(resolved, key=lambda each: _depth(each.target))
    targets = [each.target for each in volumes]
    covered = {_anchor(target, host) for target in targets if _needs_cover(target, targets, host)}
    steps = [Step("bind", "/", "/")]
    for directory in sorted(covered, key=_depth):
        steps += _cover(directory, host)
    steps += [Step("bind", each.source, each.target, each.read_only) for each in volumes]
    hidden = (path for path in keep if any(_inside(path, target) for target in targets))
    return steps + [Step("bind", path, path) for path in sorted(hidden, key=_depth)]


def _target(mount: Mount, host: HostTree) -> str:
    target = host.resolve(mount.target)
    if not mount.target.startswith("/") or target == "/" or _inside(target, "/proc"):
        raise ConfigError(f"mountPath {mount.target!r} must be an absolute path other than / and not in /proc")
    return target


def _needs_cover(target: str, targets: Sequence[str], host: HostTree) -> bool:
    # A target inside another volume is made in that volume, as container runtimes do.
    nested = any(other != target and _inside(target, other) for other in targets)
    return not nested and not host.exists(target)


def _anchor(target: str, host: HostTree) -> str:
    return next(str(parent) for parent in PurePosixPath(target).parents if host.exists(str(parent)))


def _cover(directory: str, host: HostTree) -> list[Step]:
    steps = [Step("tmpfs", "", directory)]
    for name in sorted(host.children(directory)):
        path = str(PurePosixPath(directory, name))
        link = host.link(path)
        steps.append(Step("symlink", link, path) if link is not None else Step("bind", path, path))
    return steps


def _inside(path: str, directory: str) -> bool:
    return PurePosixPath(path).is_relative_to(directory)


def _depth(path: str) -> int:
    return len(PurePosixPath(path).parts)
