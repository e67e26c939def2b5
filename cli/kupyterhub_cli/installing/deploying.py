"""From the checkout to a system that was tried."""

import difflib
import json
import subprocess
from collections.abc import Mapping
from typing import Any

from kupyterhub_cli.errors import Refusal, Unavailable, WrongUsage
from kupyterhub_cli.installing import signing_in
from kupyterhub_cli.installing.asked import is_there
from kupyterhub_cli.installing.builds import Builds
from kupyterhub_cli.installing.decisions import Decisions
from kupyterhub_cli.ports import Gcloud, GcloudRefused
from kupyterhub_cli.session import Session


def deploy(session: Session, decisions: Decisions) -> None:
    """Deploy the commit that is checked out, or follow the build that does already; raises Refusal."""
    commit = commit_of(decisions)
    gcloud, builds = session.gcloud(decisions.project), Builds(session, decisions)
    check_prepared(gcloud, decisions)
    signing_in.check(session, decisions)
    same = _keep(session, gcloud, decisions, only_compare=True)
    build = _under_way(builds.ongoing(), commit, same=same)
    if build is None:
        builds.unlock()
        _keep(session, gcloud, decisions, only_compare=False)
        tested = "yes" if _is_pushed(gcloud, decisions, commit) else ""
        build = builds.submit("cloudbuild.yaml", {"COMMIT_SHA": commit, "_TESTED": tested})
    session.screen.say(f"Build {build} deploys {commit[:12]}. Ctrl-C does not end it.")
    builds.follow(build)
    _say_what_is_left(session, gcloud, decisions)


def commit_of(decisions: Decisions) -> str:
    """The commit that is checked out, whole; images are named by it. Raises WrongUsage."""
    try:
        commit = _git(decisions, "rev-parse", "HEAD")
        changed = _git(decisions, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError) as error:
        raise WrongUsage(
            f"{decisions.checkout} is no git checkout: what is deployed is named by its commit."
        ) from error
    if changed:
        raise WrongUsage(f"These files are not as the commit has them; commit them first:\n{changed}")
    return commit


def check_prepared(gcloud: Gcloud, decisions: Decisions) -> None:
    """Raises WrongUsage where a build could not even begin."""
    try:
        gcloud.ask("storage", "buckets", "describe", decisions.state)
        gcloud.ask("iam", "service-accounts", "describe", decisions.account)
    except GcloudRefused as refused:
        raise WrongUsage(
            f"{decisions.project} is not prepared, or you may not see it. An owner prepares it: kupyterhub prepare\n"
            f"{refused}"
        ) from refused


def _git(decisions: Decisions, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - no shell
        ["git", "-C", str(decisions.checkout), *arguments],  # noqa: S607 - the person's git
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _keep(session: Session, gcloud: Gcloud, decisions: Decisions, *, only_compare: bool) -> bool:
    """Put the decisions where builds find them, and say what changes; True where that is nothing."""
    try:
        before = gcloud.run("storage", "cat", decisions.kept).splitlines()
    except GcloudRefused:
        before = []
    text = decisions.file.read_text(encoding="utf-8")
    changes = list(difflib.unified_diff(before, text.rstrip("\n").splitlines(), lineterm="", n=0))[2:]
    if changes and not only_compare:
        if before:
            session.screen.say("installation.yaml, since it was deployed last:")
            for line in changes:
                session.screen.say(f"  {line}")
        gcloud.run("storage", "cp", str(decisions.file), decisions.kept)
    return not changes


def _under_way(ongoing: Mapping[str, str], commit: str, *, same: bool) -> str | None:
    for build, deploys in ongoing.items():
        if deploys == commit and same:
            return build
        raise Refusal(
            f"Build {build} is under way, of another commit or other decisions. Wait until it has ended, or end it: "
            f"gcloud builds cancel {build}"
        )
    return None


def _is_pushed(gcloud: Gcloud, decisions: Decisions, commit: str) -> bool:
    """Whether an earlier build of the commit got so far: only what passed the tests is pushed."""
    registry = f"{decisions.region}-docker.pkg.dev/{decisions.project}/kupyterhub"
    describe = ("artifacts", "docker", "images", "describe")
    return all(
        is_there(gcloud, *describe, f"{registry}/{each}:{commit}") for each in ("agent", "jupyterlab", "proxy")
    )


def outputs(gcloud: Gcloud, decisions: Decisions) -> dict[str, Any]:
    """Terraform's outputs of the system, from its state; raises Unavailable."""
    try:
        state = gcloud.run("storage", "cat", f"{decisions.state}/kupyterhub/system/default.tfstate")
    except GcloudRefused as refused:
        raise Unavailable(f"Terraform's state cannot be read: {refused}") from refused
    return {name: output["value"] for name, output in json.loads(state).get("outputs", {}).items()}


def _say_what_is_left(session: Session, gcloud: Gcloud, decisions: Decisions) -> None:
    found = outputs(gcloud, decisions)
    say = session.screen.say
    if found.get("dns_records") and not decisions.values.get("dns_zone"):
        say("\nThese records lead people here. Make them, where they are not made yet, at whoever has your domain:")
        for record in found["dns_records"].values():
            say(f"  {record['name']} {record['type']} {record['data']}")
    url = (found.get("portal") or {}).get("url")
    say(f"\nPeople's page: {url}" if url else "")
    say(f"The first person: kupyterhub --project {decisions.project} users add you@example.com --wait\n")
