"""A Lease of Kubernetes by which one of several replicas serves, as client-go's leader election takes it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from kupyterhub_agent.directory.api import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_agent.directory.api import Api, Object

NAME = "agent"
RENEW_SECONDS = 10.0
EXPIRE_SECONDS = 30.0
"""A holder that could not renew for so long holds it no more; others wait so long before they take it."""

LOOK_SECONDS = 2.0
"""How often one that waits looks, with jitter."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Seen:
    """A Lease as it was last read, and when: its own times are of another clock."""

    version: str
    at: float


class Lease:
    """The shared agent's Lease, and who wants it. `identity` is this replica's, the pod's uid."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        identity: str,
        monotonic: Callable[[], float] = time.monotonic,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._api = api
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._metadata = {"name": NAME, "namespace": namespace}
        self._identity = identity
        self._monotonic = monotonic
        self._look_seconds = look_seconds
        self._seen: Seen | None = None
        self._renewed = float("-inf")

    async def acquire(self) -> None:
        """Wait until this replica holds it."""
        while not await self._try(self._take):  # noqa: ASYNC110 - what is waited for is elsewhere
            await asyncio.sleep(self._look_seconds * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
        log.info("this replica serves")

    async def hold(self) -> None:
        """Renew it; return once another holds it, or it expired because it could not be renewed."""
        while self._monotonic() < self._renewed + EXPIRE_SECONDS - RENEW_SECONDS:
            renewed = await self._try(self._renew)
            await asyncio.sleep(RENEW_SECONDS if renewed else self._look_seconds)

    async def release(self) -> None:
        """Give it up, so that the next need not wait; it expires where that fails."""
        await self._try(self._give_up)
        self._renewed = float("-inf")

    async def _try(self, step: Callable[[Object], Object | None]) -> bool:
        """Read the Lease, and write what `step` makes of it; say whether it is written."""
        asked = self._monotonic()
        try:
            async with asyncio.timeout(RENEW_SECONDS / 2):
                lease = await self._read()
                wanted = step(lease)
                if wanted is None:
                    return False
                if lease["metadata"].get("resourceVersion"):
                    await self._api.ask("PUT", f"{self._path}/{NAME}", body=wanted)
                else:
                    await self._api.ask("POST", self._path, body=wanted)
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:
                log.warning("the Lease: %s", error)
            return False
        except TimeoutError:
            log.warning("the Lease: the API server takes too long")
            return False
        # From before it was asked: others count from when they see it.
        self._renewed = asked
        return True

    async def _read(self) -> Object:
        try:
            return await self._api.ask("GET", f"{self._path}/{NAME}")
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": self._metadata, "spec": {}}

    def _take(self, lease: Object) -> Object | None:
        spec = lease.get("spec", {})
        if spec.get("holderIdentity") not in {None, "", self._identity} and not self._is_expired(lease):
            return None
        now = _now()
        transitions = int(spec.get("leaseTransitions") or 0)
        return _with(lease, self._terms(now) | {"acquireTime": now, "leaseTransitions": transitions + 1})

    def _renew(self, lease: Object) -> Object | None:
        spec = lease.get("spec", {})
        if spec.get("holderIdentity") != self._identity:
            log.warning("another replica has the Lease")
            self._renewed = float("-inf")
            return None
        return _with(lease, spec | self._terms(_now()))

    def _give_up(self, lease: Object) -> Object | None:
        spec = lease.get("spec", {})
        if spec.get("holderIdentity") != self._identity:
            return None
        return _with(lease, spec | {"holderIdentity": ""})

    def _is_expired(self, lease: Object) -> bool:
        version = lease["metadata"]["resourceVersion"]
        if self._seen is None or self._seen.version != version:
            self._seen = Seen(version, self._monotonic())
        return self._monotonic() - self._seen.at > EXPIRE_SECONDS

    def _terms(self, now: str) -> Object:
        return {"holderIdentity": self._identity, "leaseDurationSeconds": round(EXPIRE_SECONDS), "renewTime": now}


def _with(lease: Object, spec: Object) -> Object:
    return {**lease, "spec": spec}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
