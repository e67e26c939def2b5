"""What kind of machine this is, in the words that Go and the releases use."""

import platform
import shutil

from kupyterhub_local.errors import UnsupportedMachine

GO_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture(system: str | None = None, machine: str | None = None) -> str:
    """`amd64` or `arm64`; raises UnsupportedMachine anywhere but on Linux on one of these."""
    system = system or platform.system()
    machine = machine or platform.machine()
    if system == "Linux" and machine in GO_ARCHITECTURES:
        return GO_ARCHITECTURES[machine]
    raise UnsupportedMachine(
        f"This is {system} on {machine}; the local system runs on Linux on x86-64 or arm64. "
        "A virtual machine or a container with Linux will do."
    )


def require_programs() -> None:
    """Raise UnsupportedMachine where a program is missing that nearly every Linux has."""
    if shutil.which("setpriv") is None:
        raise UnsupportedMachine("There is no `setpriv` here. Install the package util-linux, and try again.")
