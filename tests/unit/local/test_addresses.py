"""Ports and loopback ranges: one block per checkout, kept, and checked at each start."""

import ipaddress
import json
import socket
from pathlib import Path

import pytest

from kupyterhub_local import addresses, sockets
from kupyterhub_local.addresses import block, choose, conflicts
from kupyterhub_local.errors import LocalError
from kupyterhub_local.sockets import Listener

HOST = ipaddress.IPv4Address("127.0.0.1")


def state(tmp_path: Path, name: str) -> Path:
    return tmp_path / name / "addresses.json"


def test_no_two_blocks_share_anything() -> None:
    blocks = [block(number) for number in range(addresses.BLOCKS)]
    ports = [port for one in blocks for port in vars(one.ports).values()]
    networks = [network for one in blocks for network in (one.services, one.pods)]
    assert len(ports) == len(set(ports))
    assert max(ports) < 32768
    assert len(networks) == len(set(networks))
    assert all(network.subnet_of(ipaddress.IPv4Network("127.0.0.0/8")) for network in networks)
    assert HOST not in {address for network in networks for address in (network[1],)}


def test_what_was_chosen_once_is_kept(tmp_path: Path) -> None:
    file, claims = state(tmp_path, "a"), tmp_path / "claims"
    first = choose(file, claims, [])
    listener = Listener(HOST, first.ports.proxy, "1")
    assert choose(file, claims, [listener]) == first


def test_two_checkouts_get_different_blocks(tmp_path: Path) -> None:
    chosen = {choose(state(tmp_path, f"{number}"), tmp_path / "claims", []) for number in range(20)}
    assert len(chosen) == 20


def test_the_block_of_a_checkout_that_is_gone_is_used_again(tmp_path: Path) -> None:
    claims = tmp_path / "claims"
    for number in range(addresses.BLOCKS):
        choose(state(tmp_path, f"{number}"), claims, [])
    with pytest.raises(LocalError, match="All 120 address blocks"):
        choose(state(tmp_path, "new"), claims, [])
    state(tmp_path, "7").unlink()
    assert choose(state(tmp_path, "new"), claims, [])


def test_a_block_in_which_somebody_listens_is_passed_over(tmp_path: Path) -> None:
    unclaimed = choose(state(tmp_path, "a"), tmp_path / "claims", [])
    again = choose(state(tmp_path, "a/"), tmp_path / "other", [Listener(HOST, unclaimed.ports.etcd, "1")])
    assert again == unclaimed  # it is kept in the file
    state(tmp_path, "a").unlink()
    busy = [Listener(unclaimed.pods[5], 8888, "1")]
    assert choose(state(tmp_path, "a"), tmp_path / "other", busy) != unclaimed


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        pytest.param("127.0.0.1", block(0).ports.proxy, "port 20008 of 127.0.0.1 (proxy)", id="port"),
        pytest.param("0.0.0.0", block(0).ports.proxy, "port 20008 of 127.0.0.1 (proxy)", id="every address"),  # noqa: S104
        pytest.param("127.10.0.3", 80, "127.10.0.3:80 in 127.10.0.0/16 (for Services)", id="range"),
    ],
)
def test_a_conflict_says_what_it_is_about(address: str, port: int, expected: str) -> None:
    listener = Listener(ipaddress.IPv4Address(address), port, "1")
    assert list(conflicts(block(0), [listener])) == [(expected, listener)]


def test_others_on_this_machine_are_no_conflict() -> None:
    others = [Listener(HOST, 8080, "1"), Listener(ipaddress.IPv4Address("127.0.0.2"), 20008, "1")]
    assert list(conflicts(block(0), others)) == []


def test_a_file_that_makes_no_sense_is_named(tmp_path: Path) -> None:
    file = tmp_path / "addresses.json"
    file.write_text(json.dumps({"ports": {"apiserver": 1}}))
    with pytest.raises(LocalError, match=r"addresses\.json cannot be understood"):
        choose(file, tmp_path / "claims", [])


def test_the_kernel_table_is_read() -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:4E28 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n"
        "   1: 0100007F:4E29 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n"
    )
    assert list(sockets.listeners(table)) == [Listener(HOST, 20008, "4711")]


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        [listener] = [listener for listener in sockets.listeners() if listener.port == port]
        assert "python" in sockets.holder(listener)
