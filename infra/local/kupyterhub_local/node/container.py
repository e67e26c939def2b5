"""One container of a pod over its life: started, probed, started again, stopped."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from .cluster import ApiError
from .domain.backoff import crashes_after, restart_delay
from .domain.container_status import ContainerStatus, Running, Terminated
from .domain.manifests import ConfigError, Manifest
from .domain.pod_status import restarts_after
from .probing import verdicts
from .process import ContainerProcess, StartError
from .sandbox import Sandbox

_CONFIG_RETRY = timedelta(seconds=2)
_NOT_STARTED = 128

Report = Callable[[Literal["Normal", "Warning"], str, str], None]
"""Tells of something that happened: type, reason and message of an Event."""


class Container:
    """Runs one container by its pod's restart policy. `status` is what is true now."""

    def __init__(  # noqa: PLR0913 - its manifest, its place, its past, and where it reports to
        self,
        manifest: Manifest,
        sandbox: Sandbox,
        policy: str,
        grace: float,
        status: ContainerStatus,
        *,
        changed: Callable[[], None],
        report: Report,
    ) -> None:
        self.name: str = manifest["name"]
        self.status = status
        self._manifest = manifest
        self._sandbox = sandbox
        self._policy = policy
        self._grace = grace
        self._changed = changed
        self._report = report
        self._process: ContainerProcess | None = None
        self._exited = asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Run it as often as the policy says; return when it will not run again."""
        crashes = 0
        if isinstance(self.status.state, Terminated) and not self._starts_again(self.status.state):
            return
        while not self._stopped.is_set():
            end = await self._run_once()
            if end is None:
                await self._pause(_CONFIG_RETRY)
                continue
            if self._stopped.is_set() or not self._starts_again(end):
                return
            crashes = crashes_after(crashes, end.finished_at - end.started_at)
            delay = restart_delay(crashes)
            if delay:
                message = f"back-off {delay.total_seconds():.0f}s restarting failed container={self.name}"
                self._set(self.status.waiting("CrashLoopBackOff", message))
                self._report("Warning", "BackOff", message)
                await self._pause(delay)

    async def stop(self, grace: float) -> None:
        """End it for good: SIGTERM to its command, and after `grace` seconds SIGKILL to all that is in it."""
        self._stopped.set()
        await self._end(grace)

    def kill(self) -> None:
        """End it for good, now."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()

    async def _run_once(self) -> Terminated | None:
        """Run it to its end, or return None when it could not be started for what its manifest refers to."""
        next_status = self.status.running(datetime.now(UTC))
        run = next_status.restarts
        try:
            launch = await self._sandbox.launch(self._manifest, run)
            process = await ContainerProcess.start(launch, self._sandbox.log(self.name, run))
        except ConfigError as error:
            self._refuse("CreateContainerConfigError", str(error))
            return None
        except ApiError as error:
            self._refuse("ContainerCreating", str(error))
            return None
        except (StartError, OSError) as error:
            self._report("Warning", "Failed", f"Error: {error}")
            return self._ended(next_status, _NOT_STARTED, "StartError", str(error))
        self._process = process
        self._exited.clear()
        self._set(replace(next_status, state=Running(datetime.now(UTC))))
        self._report("Normal", "Started", f"Started container {self.name}")
        probing = asyncio.create_task(self._probe(process))
        if self._stopped.is_set():
            process.kill()
        code = await process.wait()
        self._process = None
        self._exited.set()
        probing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await probing
        message = self._sandbox.message(self._manifest, run, code)
        return self._ended(self.status, code, "Completed" if code == 0 else "Error", message)

    async def _probe(self, process: ContainerProcess) -> None:
        address = self._sandbox.address
        if "startupProbe" in self._manifest:
            async for healthy, why_not in verdicts("startup", self._manifest, address):
                if not healthy:
                    await self._fail("Startup", why_not)
                break
        if self._process is not process:
            return
        self._set(replace(self.status, started=True, ready="readinessProbe" not in self._manifest))
        await asyncio.gather(self._probe_readiness(address), self._probe_liveness(address))

    async def _probe_readiness(self, address: str) -> None:
        if "readinessProbe" in self._manifest:
            async for healthy, why_not in verdicts("readiness", self._manifest, address):
                self._set(replace(self.status, ready=healthy))
                if not healthy:
                    self._report("Warning", "Unhealthy", f"Readiness probe failed: {why_not}")

    async def _probe_liveness(self, address: str) -> None:
        if "livenessProbe" in self._manifest:
            async for healthy, why_not in verdicts("liveness", self._manifest, address):
                if not healthy:
                    await self._fail("Liveness", why_not)
                    return

    async def _fail(self, probe: str, why_not: str) -> None:
        self._report("Warning", "Unhealthy", f"{probe} probe failed: {why_not}")
        self._report("Normal", "Killing", f"Container {self.name} failed {probe.lower()} probe, will be restarted")
        await self._end(self._grace)

    async def _end(self, grace: float) -> None:
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(grace):
                await self._exited.wait()
        except TimeoutError:
            process.kill()
            await self._exited.wait()

    async def _pause(self, delay: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay.total_seconds()):
                await self._stopped.wait()

    def _refuse(self, reason: str, message: str) -> None:
        refused = self.status.waiting(reason, message)
        if refused != self.status:
            self._set(refused)
            self._report("Warning", "Failed", f"Error: {message}")

    def _ended(self, status: ContainerStatus, code: int, reason: str, message: str) -> Terminated:
        now = datetime.now(UTC)
        began = status.state.started_at if isinstance(status.state, Running) else now
        end = Terminated(code, reason, began, now, message)
        self._set(status.ended(end))
        return end

    def _starts_again(self, end: Terminated) -> bool:
        return restarts_after(self._policy, end.exit_code)

    def _set(self, status: ContainerStatus) -> None:
        if status != self.status:
            self.status = status
            self._changed()
