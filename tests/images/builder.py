"""The images of docker/, built on this machine: by buildah, without a daemon, on a base of Debian's packages.

Official bases are pulled in the cloud; here Debian's package manager makes one like them. What is built is kept in
the user's cache folder under a hash of all that goes into it, so a second run builds nothing.
"""

import ast
import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DOCKER = Path(__file__).resolve().parents[2] / "docker"
RULES = DOCKER.parent / "functions/kupyterhub_rules"
FOLDERS = {
    "agent": (DOCKER / "agent", DOCKER / "tunnel"),
    "proxy": (DOCKER / "proxy", DOCKER / "tunnel", RULES),
    "jupyterlab": (DOCKER / "jupyterlab",),
}
_SUITE = "trixie"
_PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
# The official images let pip install beside the system's Python; Debian's own asks for a virtual environment.
_LIKE_OFFICIAL = 'rm "$1"/usr/lib/python3*/EXTERNALLY-MANAGED'
_BASE = "FROM scratch\nADD base.tar /\nENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin\n"
_BUILD_SECONDS = 500


class BuildFailed(Exception):
    """The text is the end of what the builder printed."""


class Builder:
    """Builds images and gives their names; `scratch` holds what one run of tests needs alone."""

    def __init__(self, cache: Path, scratch: Path) -> None:
        self._cache, self._scratch = cache, scratch
        (cache / "tmp").mkdir(parents=True, exist_ok=True)
        self._driver = "overlay"
        try:
            self._buildah("images")
        except BuildFailed:  # a folder that is an overlay itself, as in containers
            self._driver = "vfs"

    def base(self) -> str:
        """Python on Debian, as the official image is."""
        name = _named("base", _BASE, _SUITE, _PACKAGES, _LIKE_OFFICIAL)
        with self._once(name) as missing:
            if missing:
                folder = self._scratch / "base"
                folder.mkdir()
                (folder / "Dockerfile").write_text(_BASE)
                packages = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}"]
                _run([*packages, f"--customize-hook={_LIKE_OFFICIAL}", _SUITE, str(folder / "base.tar")])
                self._build(name, folder, {})
                (folder / "base.tar").unlink()
        return name

    def image(self, which: str, **arguments: str) -> str:
        """`agent`, `proxy` or `jupyterlab`, by its own Dockerfile."""
        if which == "jupyterlab" and "BASE" not in arguments:
            # Docker takes a stage for BASE; this buildah wants an image.
            arguments["BASE"] = self._image("jupyterlab", "lab", "--target=lab")
        kind = f"{which}-on-another" if arguments.get("BASE", "").startswith("localhost/other-") else which
        return self._image(which, kind, **arguments)

    def other(self, folder: Path) -> str:
        """An image by the Dockerfile of a folder."""
        return self._named_image(f"other-{folder.name}", folder, _content(folder), [], {})

    def _image(self, which: str, called: str, *options: str, **arguments: str) -> str:
        content = [_content(folder) for folder in FOLDERS[which]]
        options = (f"--file={DOCKER / which / 'Dockerfile'}", f"--build-context=rules={RULES}", *options)
        return self._named_image(called, DOCKER, "".join(content), options, arguments)

    def _named_image(self, which: str, folder: Path, content: str, options: Any, arguments: Mapping[str, str]) -> str:
        arguments = {"PYTHON": self.base(), **arguments}
        name = _named(which, content, *options, json.dumps(arguments, sort_keys=True))
        with self._once(name) as missing:
            if missing:
                self._build(name, folder, arguments, *options)
        return name

    def configuration(self, image: str) -> dict[str, Any]:
        """What the image says of how it is run: `User`, `Env`, `Cmd`, `Healthcheck` …"""
        configuration: dict[str, Any] = json.loads(self._buildah("inspect", "--type=image", image))["Docker"][
            "config"
        ]
        return configuration

    @contextmanager
    def root(self, image: str) -> Iterator[Path]:
        """The image's files, in a folder that is gone afterwards."""
        container = self._buildah("from", "--pull-never", image).strip()
        try:
            yield Path(self._buildah("mount", container).strip())
        finally:
            self._buildah("umount", container)
            self._buildah("rm", container)

    def _build(self, name: str, folder: Path, arguments: Mapping[str, str], *options: str) -> None:
        secret = self._scratch / "pip.conf"
        secret.touch(mode=0o600)
        pip = pip_configuration()
        secret.write_text("".join(f"{line}\n" for line in ["[global]", *(f"{k} = {v}" for k, v in pip.items())]))
        given = [f"--build-arg={argument}={value}" for argument, value in arguments.items()]
        if certificates := pip.get("cert"):
            given.append(f"--volume={certificates}:{certificates}:ro")
        # The format that has health checks.
        always = ["--format=docker", "--pull-never", "--isolation=chroot", f"--secret=id=pip,src={secret}"]
        try:
            self._buildah("bud", *always, *given, *options, f"--tag={name}", str(folder))
        finally:
            secret.unlink()
        self._forget_older(name)

    def _forget_older(self, name: str) -> None:
        repository = name.rpartition(":")[0]
        for other in self._buildah("images", "--format={{.Name}}:{{.Tag}}").split():
            if other != name and other.rpartition(":")[0] == repository:
                self._buildah("rmi", "--force", other)

    @contextmanager
    def _once(self, name: str) -> Iterator[bool]:
        """Say whether an image is missing; two runs that want it take turns."""
        with (self._cache / f"{name.partition('/')[2].partition(':')[0]}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield not self._buildah("images", "--quiet", f"--filter=reference={name}").strip()

    def _buildah(self, *arguments: str) -> str:
        places = [f"--root={self._cache / self._driver}", f"--runroot={self._cache / 'run'}"]
        command = ["buildah", *places, f"--storage-driver={self._driver}", *arguments]
        return _run(command, TMPDIR=str(self._cache / "tmp"))


def _run(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=_BUILD_SECONDS, check=False
    )
    if done.returncode != 0:
        raise BuildFailed(f"{command[0]}:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def _named(which: str, *content: str) -> str:
    return f"localhost/{which}:{hashlib.sha256(chr(0).join(content).encode()).hexdigest()[:16]}"


def _content(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return "".join(f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in files)


def pip_configuration() -> dict[str, str]:
    """What pip is told on this machine: its index, and whom it trusts. A secret of the build."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    pairs = (line.partition("=") for line in listed.splitlines())
    found = {key.rpartition(".")[2]: str(ast.literal_eval(value)) for key, _, value in pairs}
    wanted = ("cert", "index-url", "extra-index-url", "trusted-host", "proxy", "default-timeout")
    return {key: found[key] for key in wanted if key in found}
