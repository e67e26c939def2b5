"""Whose turn it is of several replicas: a Lease of the namespace, as leader elections of Kubernetes use it.

https://kubernetes.io/docs/concepts/architecture/leases/. As client-go does, a holder is judged by how long its
Lease was not seen to change, so the clocks of two nodes need not agree.
"""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kupyterhub_agent.directory.api import ApiError

if TYPE_CHECKING:
    from kupyterhub_agent.directory.api import Api, Object


@dataclass(frozen=True, slots=True)
class Terms:
    """In seconds."""

    duration: float = 15
    """So long a Lease counts that is not renewed."""
    deadline: float = 10
    """Who could not renew it for so long stops before another one begins."""
    renew: float = 2
    """Between looks."""


NORMAL = Terms()
_NOT_FOUND, _CONFLICT = 404, 409

log = logging.getLogger(__name__)


class Lease:
    """The Lease `agent` of a namespace, as one that would hold it sees it."""

    def __init__(self, api: Api, namespace: str, identity: str, terms: Terms = NORMAL) -> None:
        """`identity` is the pod's uid."""
        self._terms = terms
        self._api = api
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._path = f"{self._collection}/agent"
        self._identity = identity
        self._seen = ""
        self._seen_at = 0.0

    async def acquire(self) -> None:
        """Wait until it is this one's turn."""
        while not await self._try():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(self._terms.renew)
        log.info("it is this replica's turn to serve")

    async def hold(self) -> None:
        """Return when it is no longer: another has it, or it could not be renewed in time."""
        try:
            async with asyncio.timeout(self._terms.deadline) as limit:
                while await self._renew():
                    limit.reschedule(_now() + self._terms.deadline)
        except TimeoutError:
            log.warning("the Lease could not be renewed in time")
        log.warning("it is no longer this replica's turn to serve")

    async def _renew(self) -> bool:
        """Return once it is renewed, or say that another has it."""
        while True:
            await asyncio.sleep(self._terms.renew)
            try:
                lease = await self._api.ask("GET", self._path)
                if lease["spec"].get("holderIdentity") != self._identity:
                    return False
                await self._write(lease, self._identity)
            except ApiError as error:
                log.warning("the Lease is not renewed: %s", error)
            else:
                return True

    async def release(self) -> None:
        """Let another one have it at once."""
        try:
            lease = await self._api.ask("GET", self._path)
            if lease["spec"].get("holderIdentity") == self._identity:
                await self._write(lease, "")
        except ApiError as error:
            log.warning("the Lease is not released: %s; it ends by itself", error)

    async def _try(self) -> bool:
        try:
            lease = await self._api.ask("GET", self._path)
            if lease["spec"].get("holderIdentity") not in {"", None, self._identity} and not self._is_over(lease):
                return False
            await self._write(lease, self._identity)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return await self._create()
            if error.status != _CONFLICT:
                log.warning("the Lease is not to be had: %s", error)
            return False
        return True

    def _is_over(self, lease: Object) -> bool:
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen:
            self._seen, self._seen_at = version, _now()
        return _now() - self._seen_at > self._terms.duration

    async def _create(self) -> bool:
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "agent"}}
        try:
            await self._api.ask("POST", self._collection, body={**body, "spec": self._spec(self._identity)})
        except ApiError as error:
            if error.status != _CONFLICT:
                log.warning("the Lease is not to be had: %s", error)
            return False
        return True

    async def _write(self, lease: Object, holder: str) -> None:
        # With the version that was read: of two who write, one is refused.
        spec = self._spec(holder)
        if holder == lease["spec"].get("holderIdentity"):
            spec["acquireTime"] = lease["spec"].get("acquireTime", spec["acquireTime"])
        await self._api.ask("PUT", self._path, body={**lease, "spec": spec})

    def _spec(self, holder: str) -> Object:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return {
            "holderIdentity": holder,
            "leaseDurationSeconds": math.ceil(self._terms.duration),
            "acquireTime": now,
            "renewTime": now,
        }


def _now() -> float:
    return asyncio.get_running_loop().time()
