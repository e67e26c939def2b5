"""Builds of the project: submitted, followed, and what a failed one needs.

`gcloud beta`, for builds whose log is in Cloud Logging alone.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from kupyterhub_cli.errors import Refusal
from kupyterhub_cli.installing.decisions import Decisions
from kupyterhub_cli.installing.steps import Steps
from kupyterhub_cli.ports import GcloudRefused
from kupyterhub_cli.session import Session

POLL_SECONDS = 15.0
LINES = 40
_UNDER_WAY = ("PENDING", "QUEUED", "WORKING")
_PASSED = "SUCCESS"
_VULNERABLE = 'docs/day-two.md, "When a build says that something is vulnerable"'
_OF_STEPS = {
    "test": "A unit test of this checkout fails. Deploy a commit whose tests pass.",
    "audit-packages": f"A Python package has a known hole: {_VULNERABLE}.",
    "scan-images": f"An image has a known hole: {_VULNERABLE}.",
    "plan": "Terraform does not take installation.yaml, or may not do its work. Mend what it says, and deploy again.",
    "push": "The registry did not take the images. Deploy again.",
    "release": "Mend what the lines above say, and deploy again: it goes on where it was.",
    "script": "Mend what the lines above say, and do it again: it goes on where it was.",
}
_OF_ANY = "Deploy again; if it fails once more, the lines above say why."


class Builds:
    """Cloud Build, for one installation."""

    def __init__(self, session: Session, decisions: Decisions) -> None:
        self._gcloud = session.gcloud(decisions.project)
        self._screen = session.screen
        self._sleep = session.sleep
        self._clock = session.clock
        self._decisions = decisions
        self._steps = Steps(session.screen, session.clock)

    def ongoing(self) -> dict[str, str]:
        """Builds of this installation that are under way: for each the commit that it deploys, if any."""
        found = self._gcloud.ask("builds", "list", "--ongoing", "--filter=tags=kupyterhub")
        return {str(build["id"]): str(build.get("substitutions", {}).get("COMMIT_SHA", "")) for build in found or []}

    def check_free(self) -> None:
        """Raises Refusal while a build is under way."""
        for build in self.ongoing():
            raise Refusal(
                f"Build {build} is under way. Wait until it has ended, or end it: gcloud builds cancel {build}"
            )

    def submit(self, config: str, substitutions: Mapping[str, str]) -> str:
        """Submit the checkout; returns the build's id."""
        given = {"_REGION": self._decisions.region, **substitutions}
        return self._gcloud.run(
            "beta",
            "builds",
            "submit",
            str(self._decisions.checkout),
            f"--config={self._decisions.checkout / config}",
            "--ignore-file=infra/deploy/gcloudignore",
            "--async",
            f"--substitutions={','.join(f'{name}={value}' for name, value in given.items())}",
            "--format=value(id)",
        )

    def follow(self, build: str) -> None:
        """Show each step as it ends, until all have; raises Refusal with what a failed one needs."""
        said, ended = 0, set[str]()
        try:
            while True:
                found = self._gcloud.ask("builds", "describe", build)
                marks = self._log(build, 'AND textPayload:"== "', "--order=asc")
                for line in marks[said:]:
                    self._screen.say(f"  {line.partition('== ')[2]}")
                said = max(said, len(marks))
                for step in found.get("steps", []):
                    if step["id"] not in ended and step.get("status", "QUEUED") not in _UNDER_WAY:
                        ended.add(step["id"])
                        self._say(step)
                if found["status"] not in _UNDER_WAY:
                    break
                self._sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            self._screen.say("The build goes on without you. The same command follows it again.")
            raise
        if found["status"] != _PASSED:
            raise Refusal(self._why(build, found))

    def unlock(self) -> None:
        """Take away Terraform's locks of builds that were ended from outside; no build may be under way."""
        for root in ("data", "system"):
            lock = f"{self._decisions.state}/kupyterhub/{root}/default.tflock"
            try:
                held = json.loads(self._gcloud.run("storage", "cat", lock))
            except (GcloudRefused, ValueError):
                continue
            # Builds run as root; a person who has Terraform at work keeps the lock.
            if not str(held.get("Who", "")).startswith("root@"):
                continue
            self._gcloud.run("storage", "rm", lock)
            self._screen.say(f"A build was ended in the middle of its work on {root}; its lock is taken away.")

    def _say(self, step: Mapping[str, Any]) -> None:
        if step["status"] == _PASSED:
            self._steps.took(step["id"], _time(step))
        else:
            self._steps.took(
                step["id"], _time(step), "FAILED" if step["status"] == "FAILURE" else step["status"], "red"
            )

    def _log(self, build: str, more: str, *options: str) -> list[str]:
        """Lines of a build's log; none where they may not be read."""
        which = f'resource.type="build" AND resource.labels.build_id="{build}" {more}'
        try:
            text = self._gcloud.run("logging", "read", which, *options, "--format=value(textPayload)")
        except GcloudRefused:
            return []
        return [line for line in text.splitlines() if line]

    def _why(self, build: str, found: Mapping[str, Any]) -> str:
        for line in reversed(self._log(build, "", "--order=desc", f"--limit={LINES}")):
            self._screen.say(line)
        failed = [
            step["id"] for step in found.get("steps", []) if step.get("status") not in (_PASSED, "QUEUED", None)
        ]
        advice = _OF_STEPS.get(failed[0], _OF_ANY) if failed else found.get("statusDetail", _OF_ANY)
        what = f"The step {failed[0]} failed" if failed else f"The build ended as {found['status']}"
        return f"{what}. {advice}\nIts whole log: {found.get('logUrl', build)}"


def _time(step: Mapping[str, Any]) -> timedelta:
    timing = step.get("timing", {})
    if "startTime" not in timing or "endTime" not in timing:
        return timedelta(0)
    return datetime.fromisoformat(timing["endTime"]) - datetime.fromisoformat(timing["startTime"])
