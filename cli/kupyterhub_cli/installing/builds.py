"""Builds of the project: submitted, followed, and what a failed one needs.

`gcloud beta`, for builds whose log is in Cloud Logging alone.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kupyterhub_cli.errors import Refusal
from kupyterhub_cli.installing.asked import text_of
from kupyterhub_cli.installing.commit import git
from kupyterhub_cli.installing.decisions import Decisions
from kupyterhub_cli.installing.steps import Steps
from kupyterhub_cli.ports import GcloudRefused
from kupyterhub_cli.session import Session

POLL_SECONDS = 15.0
LINES = 40
_MOST_LINES = 1000
_TEXT = "--format=value(textPayload)"
_MARK = re.compile(r'(?:^|": )== (.+)')
"""By which the scripts of a build say what they do; before it stands the step's name."""
_PATIENCE = 4
_FAILED = ("FAILURE", "TIMEOUT", "INTERNAL_ERROR", "EXPIRED")
_UNDER_WAY = ("PENDING", "QUEUED", "WORKING")
_PASSED = "SUCCESS"
_VULNERABLE = 'docs/day-two.md, "When a build says that something is vulnerable"'
_OF_STEPS = {
    "test": "A unit test of this checkout fails. Deploy a commit whose tests pass.",
    "audit-packages": f"A Python package has a known hole: {_VULNERABLE}.",
    "scan-images": f"An image has a known hole: {_VULNERABLE}.",
    "plan": "Terraform does not take installation.yaml, or may not do its work. Mend what it says, and deploy again.",
    "registry": "Terraform could not make what the images need. Mend what it says, and deploy again.",
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
        self._decisions = decisions
        self._steps = Steps(session.screen, session.clock)

    def ongoing(self) -> dict[str, Mapping[str, str]]:
        """Builds of this installation that are under way, with their substitutions; raises GcloudRefused."""
        which = f"--filter=tags=kupyterhub AND status=({' OR '.join(_UNDER_WAY)})"
        # Ours are of no region; those of a trigger may be of one.
        places = ((), (f"--region={self._decisions.region}",))
        found = [build for place in places for build in self._gcloud.ask("builds", "list", which, *place) or []]
        return {str(build["id"]): build.get("substitutions", {}) for build in found}

    def alike(self, given: Mapping[str, str]) -> str | None:
        """Give the build under way that was given these substitutions; raises Refusal where another one is."""
        for build, substitutions in self.ongoing().items():
            if all(substitutions.get(name, "") == value for name, value in given.items()):
                return build
            raise Refusal(
                f"Build {build} is under way, and does something else. Wait until it has ended, or end it: "
                f"gcloud builds cancel {build} --project={self._decisions.project}"
            )
        self._unlock()
        return None

    def by_hand(self, script: str, argument: str) -> None:
        """Run one script in a build, or follow the one that runs it already; raises Refusal."""
        given = {"_SCRIPT": script, "_ARGUMENT": argument}
        self.follow(self.alike(given) or self.submit("infra/deploy/by_hand.yaml", given))

    def submit(self, config: str, substitutions: Mapping[str, str]) -> str:
        """Submit the commit that is checked out, and nothing else of the checkout; returns the build's id."""
        given = {"_REGION": self._decisions.region, **substitutions}
        with TemporaryDirectory() as folder:
            source = Path(folder) / "source.tgz"
            git(self._decisions, "archive", "--format=tar.gz", f"--output={source}", "HEAD")
            build = self._gcloud.run(
                *("beta", "builds", "submit", str(source), f"--config={self._decisions.checkout / config}"),
                # Else it goes to a bucket that Google makes, wherever.
                f"--gcs-source-staging-dir={self._decisions.state}/kupyterhub/sources",
                f"--substitutions={','.join(f'{name}={value}' for name, value in given.items())}",
                *("--async", "--format=value(id)"),
            )
        self._screen.say(f"Build {build} has begun. Ctrl-C does not end it.")
        return build

    def follow(self, build: str) -> None:
        """Show each step as it ends, until all have; raises Refusal with what a failed one needs."""
        said, ended = 0, set[str]()
        try:
            while True:
                found = self._described(build)
                marks = [
                    mark[1] for line in self._log(build, 'AND textPayload:"== "') if (mark := _MARK.search(line))
                ]
                for line in marks[said:]:
                    self._screen.say(f"  {line}")
                said = max(said, len(marks))
                for step in found.get("steps", []):
                    if step["id"] not in ended and step.get("status", "QUEUED") not in _UNDER_WAY:
                        ended.add(step["id"])
                        self._say(step)
                if found["status"] not in _UNDER_WAY:
                    break
                self._sleep(POLL_SECONDS)
        except (KeyboardInterrupt, GcloudRefused):
            self._screen.say("The build goes on without you. The same command follows it again.")
            raise
        if found["status"] != _PASSED:
            raise Refusal(self._why(build, found))

    def _described(self, build: str) -> Any:
        for _ in range(_PATIENCE):
            try:
                return self._gcloud.ask("builds", "describe", build)
            except GcloudRefused:
                self._sleep(POLL_SECONDS)
        return self._gcloud.ask("builds", "describe", build)

    def _unlock(self) -> None:
        """Take away Terraform's locks of builds that were ended from outside; no build is under way."""
        for root in ("data", "system"):
            lock = f"{self._decisions.state}/kupyterhub/{root}/default.tflock"
            text = text_of(self._gcloud, "storage", "cat", lock)
            # Builds run as root; a person who has Terraform at work keeps the lock.
            if text is None or '"Who":"root@' not in text.replace('": "', '":"'):
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

    def _log(self, build: str, more: str = "", *options: str) -> list[str]:
        """Lines of a build's log, the first ones first; none where they may not be read."""
        which = f'resource.type="build" AND resource.labels.build_id="{build}" {more}'
        try:
            text = self._gcloud.run("logging", "read", which, *(options or ("--order=asc",)), _TEXT)
        except GcloudRefused:
            return []
        return [line for line in text.splitlines() if line]

    def _why(self, build: str, found: Mapping[str, Any]) -> str:
        # The first that failed by itself: it ends those beside it.
        failed = sorted(
            (step for step in found.get("steps", []) if step.get("status") in _FAILED),
            key=lambda step: str(step.get("timing", {}).get("endTime", "9")),
        )
        name = str(failed[0]["id"]) if failed else ""
        self._sleep(POLL_SECONDS)  # a log comes later than its build's end
        last = self._log(build, "", "--order=desc", f"--limit={_MOST_LINES}")
        of_step = [line for line in last if f'"{name}":' in line] or last
        for line in reversed(of_step[:LINES]):
            self._screen.say(line)
        advice = _OF_STEPS.get(name, _OF_ANY) if name else found.get("statusDetail", _OF_ANY)
        what = f"The step {name} failed" if name else f"The build ended as {found['status']}"
        return f"{what}. {advice}\nIts whole log: {found.get('logUrl', build)}"


def _time(step: Mapping[str, Any]) -> timedelta:
    timing = step.get("timing", {})
    if "startTime" not in timing or "endTime" not in timing:
        return timedelta(0)
    return datetime.fromisoformat(timing["endTime"]) - datetime.fromisoformat(timing["startTime"])
