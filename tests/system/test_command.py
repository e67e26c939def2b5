"""What a newcomer does with the command, in a running system."""

import os
import subprocess
import sys
from pathlib import Path

from system.running import LocalSystem

CLI = Path(__file__).parents[2] / "cli"


def test_a_notebook_from_its_beginning_to_its_end(system: LocalSystem) -> None:
    def kupyterhub(*arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "kupyterhub_cli", *arguments],
            env={**os.environ, "PYTHONPATH": str(CLI), "KUPYTERHUB_STATE": str(system.state)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    person = "command@example.com"
    assert "http://" in kupyterhub("users", "add", person, "--name", "Command Line", "--wait")
    assert kupyterhub("users", "url", person).startswith("http://command-example-com-")
    assert "ServerApp" in kupyterhub("logs", person)
    assert person in kupyterhub("users", "list", "command l")
    assert "ok     proxy" in kupyterhub("doctor")
    kupyterhub("users", "restart", person, "--wait", "--yes")
    kupyterhub("users", "stop", person, "--wait", "--yes")
    kupyterhub("users", "url", person, status=5)
    kupyterhub("users", "delete", person, "--wait", "--yes")
    assert "deleted" in kupyterhub("users", "show", person)
