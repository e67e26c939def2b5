"""The two throw-away users of a release (infra/deploy/kupyterhub_smoke), in the local system."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kupyterhub_local.users import document_id
from system.person import Person
from system.running import LocalSystem

sys.path.insert(0, str(Path(__file__).parents[2] / "infra/deploy"))
from kupyterhub_smoke.people import People
from kupyterhub_smoke.trying import Try

EMAILS = ("smoke-a@example.com", "smoke-b@example.com")


class Kernels:
    """Python in notebooks by a kernel over the proxy: the local node has no `kubectl exec`."""

    def run(self, status: Mapping[str, Any], code: str) -> str:
        return asyncio.run(self._run(status, code))

    async def _run(self, status: Mapping[str, Any], code: str) -> str:
        async with Person(status["proxyUrl"], status["email"]) as person:
            return await person.run(await person.start_kernel(), code)


class Impatient(People):
    """Asks for a look where storage is to be purged and a pod was left, rather than to wait a minute for it."""

    def __init__(self, system: LocalSystem) -> None:
        super().__init__(system.environment["GOOGLE_CLOUD_PROJECT"])
        self._system = system

    def get(self, user: str) -> dict[str, Any] | None:
        fields = super().get(user)
        if fields and "purge" in fields:
            self._system.publish("reconcile-user", json.dumps({"user": user}).encode())
        return fields


def test_a_system_that_works_passes_and_nothing_of_the_try_is_left(
    system: LocalSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in system.environment.items():
        monkeypatch.setenv(name, value)
    people = Impatient(system)
    said: list[str] = []
    Try(people, Kernels(), said.append).run(EMAILS)
    for email in EMAILS:
        assert f"{email}: sees their own file alone" in said
        assert f"{email}: purged" in said
        assert people.get(document_id(email)) is None
        assert email.partition("@")[0] not in system.kubectl("get", "all,persistentvolumeclaims,secrets")
