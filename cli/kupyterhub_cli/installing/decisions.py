"""`installation.yaml` in the checkout: what somebody decided.

infra/deploy/variables.py checks it, as the builds that go by it do.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kupyterhub_cli import place
from kupyterhub_cli.errors import WrongUsage
from kupyterhub_cli.installing.asked import text_of
from kupyterhub_cli.session import Session

FILE = "installation.yaml"


@dataclass(frozen=True)
class Decisions:
    """An installation as it is to be."""

    checkout: Path
    values: Mapping[str, Any]

    @property
    def file(self) -> Path:
        """Where they are written down."""
        return self.checkout / FILE

    @property
    def project(self) -> str:
        """The Google Cloud project's id."""
        return str(self.values["project_id"])

    @property
    def region(self) -> str:
        """Where all of it is."""
        return str(self.values["region"])

    @property
    def state(self) -> str:
        """The bucket of Terraform's state, as cloudbuild.yaml has it."""
        return f"gs://{self.project}-kupyterhub-state"

    @property
    def kept(self) -> str:
        """Where builds find the file."""
        return f"{self.state}/kupyterhub/variables/{FILE}"

    @property
    def account(self) -> str:
        """The service account that builds run as."""
        return f"kupyterhub-deploy@{self.project}.iam.gserviceaccount.com"

    @property
    def is_hosted(self) -> bool:
        """Whether Google's proxy carries the traffic."""
        return self.values.get("proxy") == "hosted"


def of(session: Session) -> Decisions:
    """Read the checkout's file, or get the project's into it where there is none; raises WrongUsage."""
    checkout = checkout_of(session)
    file = checkout / FILE
    if not file.exists() and session.project:
        kept = Decisions(checkout, {"project_id": session.project}).kept
        got = text_of(session.gcloud(session.project), "storage", "cat", kept)
        if got is not None:
            file.write_text(f"{got}\n", encoding="utf-8")
            session.screen.say(f"{FILE}: got from the project")
    if not file.exists():
        raise WrongUsage(f"There is no {FILE} here. `kupyterhub init` asks five questions and writes it.")
    if said := wrong(checkout):
        raise WrongUsage(said)
    decisions = Decisions(checkout, yaml.safe_load(file.read_text(encoding="utf-8")))
    if session.project not in (None, decisions.project):
        raise WrongUsage(f"{FILE} is of the project {decisions.project}, and --project is {session.project}.")
    session.project = decisions.project
    return decisions


def wrong(checkout: Path) -> str:
    """What is wrong with the checkout's file, or still to be filled in; nothing where it is whole."""
    checked = subprocess.run(  # noqa: S603 - a script of the checkout
        [sys.executable, str(checkout / "infra/deploy/variables.py"), str(checkout / FILE)],
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stderr.strip() if checked.returncode else ""


def checkout_of(session: Session) -> Path:
    """The checkout that the person is in; raises WrongUsage."""
    found = place.checkout(session.folder)
    if found is None:
        raise WrongUsage("This is no checkout of kupyterhub. Go to one: it is what is deployed.")
    return found
