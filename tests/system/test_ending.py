"""How a system ends and goes on, beside another one that notices nothing of it."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from needed import need
from system.person import Person
from system.processes import alive
from system.running import LocalSystem, eventually, phase

EMAIL = "grace@example.com"
# The bridge makes a snapshot of what is new each second.
SNAPSHOT_SECONDS = 1.5
LEAVING = timedelta(seconds=5)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    """A system of its own for this module, which each test leaves running."""
    need("kubectl")
    running = LocalSystem(tmp_path_factory.mktemp("other") / "state", EMAIL)
    try:
        running.start()
        yield running
    finally:
        running.close()


def test_two_systems_side_by_side_share_nothing(system: LocalSystem, other: LocalSystem) -> None:
    ours, theirs = (json.loads((each.state / "addresses.json").read_text()) for each in (system, other))
    assert not set(ours["ports"].values()) & set(theirs["ports"].values())
    assert len({ours["services"], ours["pods"], theirs["services"], theirs["pods"]}) == 4
    assert [user.get("email") for user in other.firestore.collection("users").stream()] == [EMAIL]
    assert EMAIL not in {user.get("email") for user in system.firestore.collection("users").stream()}


async def test_ctrl_c_ends_every_process_and_the_next_run_finds_everything(other: LocalSystem) -> None:
    url = other.printed_url(EMAIL)
    async with Person(url, EMAIL) as person:
        await person.write("notes.txt", "before Ctrl-C")
        await person.start_kernel()
    started = other.processes()
    assert {"ipykernel", "kube-apiserver", "kupyterhub_agent"} <= told_of(other)
    assert other.interrupt() == 0
    assert not alive(started)
    other.start()
    assert other.printed_url(EMAIL) == url
    phase(other.document_of(EMAIL), "Ready")
    async with Person(url, EMAIL) as person:
        assert await person.read("notes.txt") == "before Ctrl-C"


async def test_a_hard_kill_loses_no_notebook_and_no_document_older_than_a_second(other: LocalSystem) -> None:
    url = other.printed_url(EMAIL)
    async with Person(url, EMAIL) as person:
        await person.write("notes.txt", "before kill -9")
        await person.start_kernel()
    other.add(email="stopped@example.com", state="stopped")
    await asyncio.sleep(SNAPSHOT_SECONDS)
    started = other.processes()
    assert "ipykernel" in told_of(other)
    other.kill()
    eventually(lambda: not alive(started), LEAVING, "the end of all processes")
    other.start()
    assert other.printed_url(EMAIL) == url
    phase(other.document_of("stopped@example.com"), "Stopped")
    async with Person(url, EMAIL) as person:
        assert await person.read("notes.txt") == "before kill -9"


def told_of(system: LocalSystem) -> set[str]:
    """Return which of the programs that one looks for are running."""
    commands = " ".join(process.command for process in system.processes())
    return {name for name in ("ipykernel", "kube-apiserver", "kupyterhub_agent") if name in commands}
