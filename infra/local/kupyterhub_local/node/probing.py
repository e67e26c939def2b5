"""A probe over the life of a container: looks at it again and again, and tells when the verdict changes."""

import asyncio
from collections.abc import AsyncIterator

from .domain.manifests import ConfigError, Manifest
from .domain.probe_state import Kind, ProbeState, ProbeTiming
from .prober import look


async def verdicts(kind: Kind, container: Manifest, pod_ip: str) -> AsyncIterator[tuple[bool, str]]:
    """Yield (healthy, why not) at each change, starting with the first time that a threshold is reached."""
    probe = container[f"{kind}Probe"]
    state = ProbeState(kind, ProbeTiming.of(probe))
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.sleep(state.timing.initial_delay)
    while True:
        try:
            failure = await look(probe, container, pod_ip)
        except ConfigError as error:
            failure = str(error)
        if state.record(success=not failure, at=clock()):
            yield not failure, failure
        await asyncio.sleep(state.pause(clock() - began))
