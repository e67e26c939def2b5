"""The ports and loopback ranges of one checkout, chosen once: ClusterIPs live in etcd, and ports in people's URLs.

The machine is divided into blocks of some ports and two /16 in 127/8. A checkout holds the one that it wrote its name
into, in the user's cache, so that two checkouts run side by side even if one was never started while the other ran.
"""

import asyncio
import ipaddress
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from kupyterhub_local import sockets
from kupyterhub_local.errors import AddressTaken, LocalError
from kupyterhub_local.sockets import Listener

HOST = "127.0.0.1"
BLOCKS = 120
PORTS_PER_BLOCK = 16
# Below the range that the kernel gives to outgoing connections (ip_local_port_range, from 32768 on).
FIRST_PORT = 20000
FIRST_SECOND_OCTET = 10
# Processes of a run that was killed need a moment until they are gone.
LEAVING_SECONDS = 5.0


@dataclass(frozen=True)
class Ports:
    """One per listener of the local system."""

    apiserver: int
    etcd: int
    etcd_peer: int
    firestore: int
    firestore_websocket: int
    pubsub: int
    functions: int
    bridge: int
    proxy: int
    proxy_health: int
    kubelet: int
    portal: int


@dataclass(frozen=True)
class Addresses:
    """What one checkout listens on: ports of 127.0.0.1, and the ranges of ClusterIPs and of pods."""

    ports: Ports
    services: ipaddress.IPv4Network
    pods: ipaddress.IPv4Network

    @property
    def domain(self) -> str:
        """What people's host names end with."""
        return f"localhost:{self.ports.proxy}"

    @property
    def portal(self) -> str:
        """Where people start and stop their notebooks."""
        return f"http://localhost:{self.ports.portal}"


def block(number: int) -> Addresses:
    """Return the addresses of one block of the machine."""
    first_port = FIRST_PORT + PORTS_PER_BLOCK * number
    octet = FIRST_SECOND_OCTET + 2 * number
    names = Ports.__dataclass_fields__
    return Addresses(
        Ports(**{name: first_port + offset for offset, name in enumerate(names)}),
        ipaddress.IPv4Network(f"127.{octet}.0.0/16"),
        ipaddress.IPv4Network(f"127.{octet + 1}.0.0/16"),
    )


def choose(file: Path, claims: Path, listeners: Iterable[Listener]) -> Addresses:
    """Read the addresses kept in `file`, or choose free ones and keep them; `claims` is shared by checkouts."""
    if file.exists():
        return _read(file)
    occupied = list(listeners)
    claims.mkdir(parents=True, exist_ok=True)
    # Where the search begins depends on the folder: without the cache, two checkouts still seldom meet.
    begin = zlib.crc32(str(file).encode())
    for number in ((begin + step) % BLOCKS for step in range(BLOCKS)):
        candidate = block(number)
        if not any(conflicts(candidate, occupied)) and _claim(claims / str(number), file):
            _write(file, candidate)
            return candidate
    raise LocalError(f"All {BLOCKS} address blocks of this machine are held; the folder {claims} says by whom.")


def conflicts(addresses: Addresses, listeners: Iterable[Listener]) -> Iterator[tuple[str, Listener]]:
    """Say what of `addresses` is held, and by which listener."""
    ports = {port: name for name, port in asdict(addresses.ports).items()}
    everywhere, host = ipaddress.IPv4Address(0), ipaddress.IPv4Address(HOST)
    for listener in listeners:
        if listener.port in ports and listener.address in (everywhere, host):
            yield f"port {listener.port} of {HOST} ({ports[listener.port]})", listener
        for what, network in (("Services", addresses.services), ("pods", addresses.pods)):
            if listener.address in network:
                yield f"{listener.address}:{listener.port} in {network} (for {what})", listener


async def require_free(addresses: Addresses, file: Path) -> None:
    """Raise AddressTaken if someone holds an address of ours and does not let go of it within seconds."""
    deadline = asyncio.get_running_loop().time() + LEAVING_SECONDS
    while taken := list(conflicts(addresses, sockets.listeners())):
        if asyncio.get_running_loop().time() > deadline:
            held = "\n".join(f"  {what} by {sockets.holder(listener)}" for what, listener in taken)
            raise AddressTaken(
                f"Addresses of this checkout ({file}) are held by other programs:\n{held}\nEnd them, and try again."
            )
        await asyncio.sleep(0.2)


def _claim(claim: Path, file: Path) -> bool:
    try:
        with claim.open("x") as new:
            new.write(str(file))
    except FileExistsError:
        owner = Path(claim.read_text())
        if owner.exists() and owner != file:
            return False
        claim.write_text(str(file))  # of a checkout that is gone
    return True


def _write(file: Path, addresses: Addresses) -> None:
    values = {"ports": asdict(addresses.ports), "services": str(addresses.services), "pods": str(addresses.pods)}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(values, indent=2) + "\n")


def _read(file: Path) -> Addresses:
    try:
        values = json.loads(file.read_text())
        # A port that a file of before does not know is of the same block.
        first = int(values["ports"]["apiserver"])
        ports = {name: first + offset for offset, name in enumerate(Ports.__dataclass_fields__)} | values["ports"]
        services, pods = (ipaddress.IPv4Network(values[name]) for name in ("services", "pods"))
        return Addresses(Ports(**ports), services, pods)
    except (ValueError, KeyError, TypeError) as error:
        raise LocalError(f"{file} cannot be understood: {error}. Take it away, and new ones are chosen.") from error
