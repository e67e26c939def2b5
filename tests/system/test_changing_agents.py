"""An agent for each, then one for all, then one for each again: two people's kernels run on, and are served."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from google.cloud import firestore

from system.person import Person
from system.running import CHANGE, YOU, LocalSystem, eventually, phase

FUNCTIONS = "kupyterhub_local.functions:app"
REQUESTS = 30


@dataclass
class Working:
    """A person with a kernel that remembers something."""

    person: Person
    document: firestore.DocumentReference
    name: str
    kernel: str
    mark: str

    async def still_there(self) -> bool:
        """Whether it is the same kernel, and reached."""
        return await self.person.run(self.kernel, "print(mark)") == self.mark


@pytest.fixture
async def two(system: LocalSystem) -> AsyncIterator[list[Working]]:
    """Two people who have begun to work."""
    emails = {YOU: system.document_of(YOU), "shares@example.com": system.add(email="shares@example.com")}
    async with AsyncExitStack() as stack:
        working = []
        for email, document in emails.items():
            status = phase(document, "Ready")
            person = await stack.enter_async_context(Person(status["proxyUrl"], email))
            kernel, mark = await person.start_kernel(), uuid4().hex
            await person.run(kernel, f"mark = {mark!r}")
            working.append(Working(person, document, status["name"], kernel, mark))
        yield working
        change(system, "per-user")
        emails["shares@example.com"].update({"state": "deleted"})


def change(system: LocalSystem, agent: str) -> None:
    """Write other settings, and start what reads them once anew, as a deploy does."""
    lines = (system.state / "kupyterhub.yaml").read_text().splitlines(keepends=True)
    written = [f"agent: {agent}\n" if line.startswith("agent:") else line for line in lines]
    (system.state / "kupyterhub.yaml").write_text("".join(written))
    for process in system.processes():
        if FUNCTIONS in process.command:
            os.kill(process.pid, signal.SIGKILL)
    resync(system)


def resync(system: LocalSystem) -> None:
    system.publish("resync", b'{"mode": "all"}')


def deployments(system: LocalSystem) -> dict[str, dict[str, Any]]:
    items = json.loads(system.kubectl("get", "deployments", "--output=json"))["items"]
    return {item["metadata"]["name"]: item for item in items}


def served_by(system: LocalSystem, names: set[str]) -> bool:
    """Whether these Deployments are all available."""
    found = deployments(system)
    conditions = [found.get(name, {}).get("status", {}).get("conditions", []) for name in names]
    return all(any(c["type"] == "Available" and c["status"] == "True" for c in each) for each in conditions)


def kill_a_replica(system: LocalSystem) -> None:
    """Kill the process of one of the shared agent's pods, which its kubelet then starts again."""
    replica, *others = [process for process in system.processes() if process.command.endswith("-m kupyterhub_agent")]
    assert len(others) == 1
    os.kill(replica.pid, signal.SIGKILL)


@pytest.mark.timeout(300)
async def test_people_are_handed_over_to_a_shared_agent_and_back_while_they_work(
    system: LocalSystem, two: list[Working]
) -> None:
    own = {f"agent-{each.name}" for each in two}
    notebooks = {f"jupyterlab-{each.name}" for each in two}

    change(system, "shared")
    eventually(lambda: served_by(system, {"agent"}), CHANGE, "the shared agent is available")
    resync(system)
    eventually(lambda: own.isdisjoint(deployments(system)), CHANGE, "people's own agents are gone")
    assert notebooks | {"agent"} <= deployments(system).keys()
    for each in two:
        assert await each.still_there()
        assert phase(each.document, "Ready")["proxyUrl"] == each.person.url

    kill_a_replica(system)
    await asyncio.sleep(0.2)
    for _ in range(REQUESTS):
        assert [await each.person.status() for each in two] == [200, 200]
    for each in two:
        assert await each.still_there()

    change(system, "per-user")
    eventually(lambda: served_by(system, own), CHANGE, "people's own agents are available")
    resync(system)
    eventually(lambda: "agent" not in deployments(system), CHANGE, "the shared agent is gone")
    for each in two:
        assert await each.still_there()
        assert phase(each.document, "Ready")["proxyUrl"] == each.person.url
