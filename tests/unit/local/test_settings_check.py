"""What is wrong with kupyterhub.yaml for a run on one machine is said before anything is started."""

from pathlib import Path

import pytest

from kupyterhub_local import addresses
from kupyterhub_local.errors import LocalError
from kupyterhub_local.run import check_settings
from kupyterhub_local.state import StateFolder

CHOSEN = addresses.block(0)


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    folder = StateFolder(tmp_path / "state")
    folder.prepare(CHOSEN.domain)
    return folder


def edit(folder: StateFolder, old: str, new: str) -> None:
    text = folder.settings.read_text()
    assert old in text
    folder.settings.write_text(text.replace(old, new))


@pytest.mark.parametrize("agent", ["per-user", "shared"])
def test_both_kinds_of_agents_work_on_one_machine(folder: StateFolder, agent: str) -> None:
    edit(folder, "agent: per-user", f"agent: {agent}")

    check_settings(folder, CHOSEN)


def test_administrators_are_told_to_the_proxy(folder: StateFolder) -> None:
    edit(folder, "admins: [admin@example.com]", "admins: [root@example.com]")

    check_settings(folder, CHOSEN)

    assert folder.admins.read_text() == "root@example.com\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("proxy: local", "proxy: hosted", "on one machine it is local"),
        ("mode: local", "mode: iap", "identity.mode: is iap"),
        (CHOSEN.domain, "localhost:1", f"this checkout's proxy is at {CHOSEN.domain}"),
    ],
    ids=["proxy", "identity", "domain"],
)
def test_what_one_machine_cannot_do_is_said(folder: StateFolder, old: str, new: str, said: str) -> None:
    edit(folder, old, new)

    with pytest.raises(LocalError) as raised:
        check_settings(folder, CHOSEN)
    assert said in str(raised.value)
