"""Traffic through server and agent beside a direct connection, a plain proxy of aiohttp, and JupyterHub's own.

All in one run, on the same upstream and by the same load generator, in turns: this machine may not be ours alone. The
figures of google/inverting-proxy's Go pair are of an earlier run on such a machine, with two cores.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import Figure
from bench.traffic_upstream import BIG_BYTES
from cluster.carrying.programs import listening, process, running_programs
from cluster.proxy.harness import free_port
from needed import need, npm_packages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

ROUNDS = 5
SECONDS = 2.0
MIB = 1024 * 1024


@dataclass(frozen=True)
class Way:
    """One way to the upstream."""

    port: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What the load generator saw."""

    per_second: float
    median_ms: float


def measure() -> list[Figure]:
    """Start everything, load it in turns, stop everything."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Figure]:
    return [*await _measure_requests(folder), await _measure_echo(folder)]


async def _measure_requests(folder: Path) -> list[Figure]:
    upstream, one_hop = free_port(), free_port()
    backend = f"http://127.0.0.1:{upstream}"
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(process(folder, "bench.traffic_upstream", str(upstream)))
        stack.enter_context(process(folder, "bench.traffic_one_hop", str(one_hop), backend))
        programs = await stack.enter_async_context(running_programs(folder, backend))
        await listening(one_hop)
        hubs = await stack.enter_async_context(_jupyterhubs_proxy(folder, backend))
        ways = {
            "direct": Way(upstream),
            "one hop": Way(one_hop),
            "JupyterHub's": Way(hubs),
            "ours": Way(programs.port, programs.headers),
        }
        before = programs.agent.memory_info().rss / MIB
        requests = await _in_turns("requests", 16, ways)
        figures = [
            _requests(requests),
            _beside_jupyterhubs(requests),
            _latency(await _in_turns("requests", 1, ways)),
            _big(await _in_turns("big", 1, ways)),
        ]
        after = programs.agent.memory_info().rss / MIB
        return [*figures, Figure("memory of the agent after that", after, 256, "MiB", f"{before:.0f} MiB before")]


@contextlib.asynccontextmanager
async def _jupyterhubs_proxy(folder: Path, backend: str) -> AsyncIterator[int]:
    """Run configurable-http-proxy meanwhile, which has one route and asks nobody who they are; give its port."""
    program = await npm_packages(Path(__file__).with_name("jupyterhub_proxy"), "jupyterhub-proxy")
    port = free_port()
    with (folder / "jupyterhub-proxy.log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            *(need("node"), str(program / "node_modules/configurable-http-proxy/bin/configurable-http-proxy")),
            *("--ip", "127.0.0.1", "--port", str(port), "--api-ip", "127.0.0.1", "--api-port", str(free_port())),
            *("--default-target", backend, "--log-level", "error"),
            stdout=log,
            stderr=log,
        )
    try:
        await listening(port)
        yield port
    finally:
        running.terminate()
        await running.wait()


async def _measure_echo(folder: Path) -> Figure:
    upstream = free_port()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(process(folder, "bench.traffic_echo", str(upstream)))
        programs = await stack.enter_async_context(running_programs(folder, f"http://127.0.0.1:{upstream}"))
        direct = Way(upstream, {"Origin": f"http://127.0.0.1:{upstream}"})
        return _echo(await _in_turns("echo", 1, {"direct": direct, "ours": Way(programs.port, programs.headers)}))


async def _in_turns(kind: str, connections: int, ways: Mapping[str, Way]) -> dict[str, list[Seen]]:
    seen: dict[str, list[Seen]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            seen[name].append(await _load(kind, connections, way))
    return seen


async def _load(kind: str, connections: int, way: Way) -> Seen:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.traffic_load", kind, str(connections), str(SECONDS), str(way.port)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await program.communicate(json.dumps(dict(way.headers)).encode())
    assert program.returncode == 0, "the load generator failed"
    return Seen(**json.loads(output))


def _requests(seen: dict[str, list[Seen]]) -> Figure:
    direct, one_hop, ours = (_median(seen[way], "per_second") for way in ("direct", "one hop", "ours"))
    details = f"{direct:.0f}, {one_hop:.0f} and {ours:.0f} /s direct, one hop, ours; Go pair: 1650/s"
    return Figure(
        "requests over 16 connections: one hop ÷ ours", _ratio(seen, "per_second"), 1 / 0.7, "times", details
    )


def _beside_jupyterhubs(seen: dict[str, list[Seen]]) -> Figure:
    theirs, ours = (_median(seen[way], "per_second") for way in ("JupyterHub's", "ours"))
    details = f"{theirs:.0f} and {ours:.0f} /s; configurable-http-proxy 5 is one hop and asks nobody who they are"
    return Figure(
        "requests over 16 connections: JupyterHub's proxy ÷ ours",
        _ratio(seen, "per_second", "JupyterHub's"),
        1,
        "times",
        details,
    )


def _latency(seen: dict[str, list[Seen]]) -> Figure:
    direct, one_hop, ours = (_median(seen[way], "median_ms") for way in ("direct", "one hop", "ours"))
    details = f"{direct:.2f}, {one_hop:.2f} and {ours:.2f} ms direct, one hop, ours; Go pair: +0.7 ms"
    added = statistics.median(
        through.median_ms - alone.median_ms for through, alone in zip(seen["ours"], seen["direct"], strict=True)
    )
    return Figure("a request over one connection: added to direct", added, 1, "ms", details)


def _big(seen: dict[str, list[Seen]]) -> Figure:
    direct, one_hop, ours = (
        _median(seen[way], "per_second") * BIG_BYTES / 1e6 for way in ("direct", "one hop", "ours")
    )
    details = f"{direct:.0f}, {one_hop:.0f} and {ours:.0f} MB/s direct, one hop, ours; Go pair: 350 MB/s"
    return Figure("an answer of 10 MiB: one hop ÷ ours", _ratio(seen, "per_second"), 1 / 0.7, "times", details)


def _echo(seen: dict[str, list[Seen]]) -> Figure:
    direct, ours = (_median(seen[way], "median_ms") for way in ("direct", "ours"))
    ratio = statistics.median(
        through.median_ms / alone.median_ms for through, alone in zip(seen["ours"], seen["direct"], strict=True)
    )
    details = f"{direct:.2f} and {ours:.2f} ms"
    return Figure("echo of a WebSocket message: ours ÷ direct", ratio, 3, "times", details)


def _ratio(seen: dict[str, list[Seen]], what: str, other: str = "one hop") -> float:
    pairs = zip(seen[other], seen["ours"], strict=True)
    return statistics.median(getattr(one_hop, what) / getattr(ours, what) for one_hop, ours in pairs)


def _median(seen: list[Seen], what: str) -> float:
    return statistics.median(getattr(one, what) for one in seen)
