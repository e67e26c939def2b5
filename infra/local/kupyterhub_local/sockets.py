"""Who listens where on this machine, as proc(5) tells it."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LISTEN = "0A"
COMMAND_CHARACTERS = 100


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket; the inode is what ties it to a process."""

    address: ipaddress.IPv4Address
    port: int
    inode: str


def listeners(table: str | None = None) -> Iterator[Listener]:
    """All that listen on IPv4 addresses; `table` is the text of /proc/net/tcp."""
    lines = (Path("/proc/net/tcp").read_text() if table is None else table).splitlines()[1:]
    for fields in map(str.split, lines):
        address, _, port = fields[1].partition(":")
        if fields[3] == LISTEN:
            # The kernel prints the address as the number that it is in memory: the lowest byte first.
            octets = bytes.fromhex(address)[::-1]
            yield Listener(ipaddress.IPv4Address(octets), int(port, 16), fields[9])


def holder(listener: Listener) -> str:
    """Name the process behind a listener, as a person would look for it."""
    socket = f"socket:[{listener.inode}]"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(file.readlink()) == socket for file in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                return f"process {process.name} ({command.strip()[:COMMAND_CHARACTERS]})"
        except OSError:  # ended meanwhile, or another person's
            continue
    return "a process of another user"
