"""The person's own `gcloud`."""

import json
import shutil
import subprocess
from typing import Any

from kupyterhub_cli.errors import Refusal
from kupyterhub_cli.ports import GcloudRefused


class Gcloud:
    """`ports.Gcloud`, for one project."""

    def __init__(self, project: str) -> None:
        program = shutil.which("gcloud")
        if program is None:
            raise Refusal(
                "There is no `gcloud`. Cloud Shell (https://shell.cloud.google.com) has it; "
                "elsewhere: https://cloud.google.com/sdk/docs/install"
            )
        self._command = (program, f"--project={project}", "--quiet") if project else (program, "--quiet")

    def run(self, *arguments: str, given: str | None = None) -> str:
        """Run one command and wait for it."""
        done = subprocess.run(  # noqa: S603 - no shell
            [*self._command, *arguments],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise GcloudRefused(done.stderr.strip())
        return done.stdout.strip()

    def ask(self, *arguments: str) -> Any:
        """Run one command and read its JSON."""
        return json.loads(self.run(*arguments, "--format=json") or "null")
