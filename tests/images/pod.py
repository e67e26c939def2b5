"""What a kubelet does with an image: its files read-only, an unprivileged user, and a few mounts."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from images.builder import Builder

# In a mount namespace of its own. $1: the root; then pairs of source and place, then --, then the program.
_ENTER = """
set -eu
root=$1; shift
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount --rbind /proc "$root/proc"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    shift 2
done
shift
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs chroot --userspec="$RUN_AS" --groups="${RUN_AS#*:}" "$root" \\
    /usr/bin/env -i --chdir="$WORK_IN" "$@"
"""


@dataclass(frozen=True)
class Container:
    """An image's files and configuration, and the folders that a pod mounts, by place."""

    root: Path
    configuration: Mapping[str, Any]
    mounts: Mapping[str, Path] = field(default_factory=dict)

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a program as the image's user, with its environment and this one over it."""
        mounts = [str(part) for place, source in self.mounts.items() for part in (source, place)]
        variables = [*self.configuration["Env"], *(f"{name}={value}" for name, value in environment.items())]
        return subprocess.Popen(
            [
                *("unshare", "--mount", "--propagation=private", "sh", "-c", _ENTER, "enter", str(self.root)),
                *(*mounts, "--", *variables, *command),
            ],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "RUN_AS": self.configuration["User"],
                "WORK_IN": self.configuration.get("WorkingDir") or "/",
            },
            **options,
        )

    @contextmanager
    def running(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a program meanwhile; it is told to end as a pod's is, and what it printed is in `log`."""
        with log.open("wb") as output:
            process = self.start(command, environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def is_confined(self, process: subprocess.Popen[bytes]) -> bool:
        """Say whether a program of it runs as user 1000 without capabilities, and cannot write to the image."""
        status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        facts = {key: value.split() for key, _, value in (line.partition(":") for line in status)}
        mounts = map(str.split, Path(f"/proc/{process.pid}/mountinfo").read_text().splitlines())
        options = [fields[5].split(",") for fields in mounts if fields[4] == "/"]
        return (
            facts["Uid"] == facts["Gid"] == ["1000"] * 4
            and int(facts["CapEff"][0], 16) == 0
            and facts["NoNewPrivs"] == ["1"]
            and "ro" in options[-1]
        )

    def healthy(self, environment: Mapping[str, str]) -> bool:
        """Say what the image's own health check says."""
        kind, *command = self.configuration["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.start(command, environment, stderr=subprocess.DEVNULL).wait(30) == 0


@contextmanager
def container(builder: Builder, image: str, mounts: Mapping[str, Path] | None = None) -> Iterator[Container]:
    """A container of an image; its files are gone afterwards."""
    with builder.root(image) as root:
        yield Container(root, builder.configuration(image), mounts or {})
