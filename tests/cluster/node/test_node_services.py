"""Services on their ClusterIPs, and their names in containers."""

import asyncio
import contextlib

from cluster.node.kube import PODS, Kube, eventually, is_ready, is_running

ECHO = """
import asyncio, os
async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
async def main():
    await (await asyncio.start_server(echo, os.environ["POD_IP"], 7007)).serve_forever()
asyncio.run(main())
"""
POD_IP = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


async def run_echo(kube: Kube, name: str) -> None:
    probe = {"tcpSocket": {"port": 7007}, "periodSeconds": 1}
    await kube.run(
        name, 'exec python3 -c "$PROGRAM"', env=[POD_IP, {"name": "PROGRAM", "value": ECHO}], readinessProbe=probe
    )
    await kube.pod_when(name, is_ready)


async def test_a_service_carries_much_both_ways_and_the_end_of_one_way(kube: Kube) -> None:
    address = await kube.service("echo", "echo", 7007)
    await run_echo(kube, "echo")
    reader, writer = await connection(address)
    sent = bytes(range(256)) * 40_000

    async def send() -> None:
        writer.write(sent)
        await writer.drain()
        writer.write_eof()

    _, received = await asyncio.gather(send(), reader.read(-1))
    writer.close()
    assert received == sent


async def test_without_a_ready_pod_connections_are_closed(kube: Kube) -> None:
    address = await kube.service("nobody", "nobody", 7007)

    async def is_closed() -> bool:
        try:
            reader, writer = await asyncio.open_connection(address, 7007)
        except ConnectionRefusedError:
            return True
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        return True

    assert await eventually(is_closed, 5)


async def test_a_pod_that_is_gone_gets_no_connections(kube: Kube) -> None:
    address = await kube.service("echo", "echo", 7007)
    await run_echo(kube, "echo")
    _, writer = await connection(address)
    writer.close()
    await kube.delete("echo")
    with contextlib.suppress(ConnectionError):
        reader, writer = await asyncio.open_connection(address, 7007)
        assert await reader.read() == b""
        writer.close()


async def test_running_containers_learn_the_names_of_new_services(kube: Kube) -> None:
    await kube.run(
        "asks", "until getent hosts later later.node-tests.svc.cluster.local; do sleep 0.1; done; sleep 60"
    )
    await kube.pod_when("asks", is_running)
    address = await kube.service("later", "asks", 80)

    async def log() -> str:
        return await kube.logs("asks")

    assert (await eventually(log, 5)).split()[0] == address
    assert (await kube.cluster.get(f"{PODS}/asks"))["status"]["phase"] == "Running"


async def connection(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            return await asyncio.open_connection(address, 7007)
        except ConnectionRefusedError:
            return None

    return await eventually(connect, 5)
