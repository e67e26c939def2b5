"""From the checkout to a system that was tried."""

import difflib
import json
from collections.abc import Sequence
from typing import Any

from kupyterhub_cli.errors import Unavailable, WrongUsage
from kupyterhub_cli.installing import signing_in
from kupyterhub_cli.installing.asked import buckets, is_there, text_of
from kupyterhub_cli.installing.builds import Builds
from kupyterhub_cli.installing.commit import checked_out
from kupyterhub_cli.installing.decisions import Decisions
from kupyterhub_cli.ports import Gcloud, GcloudRefused
from kupyterhub_cli.session import Session


def deploy(session: Session, decisions: Decisions) -> None:
    """Deploy the commit that is checked out, or follow the build that does already; raises Refusal."""
    commit = checked_out(decisions)
    gcloud, builds = session.gcloud(decisions.project), Builds(session, decisions)
    check_prepared(gcloud, decisions)
    signing_in.check(session, decisions)
    changes = _changes(gcloud, decisions)
    # A build with other decisions is not this one, of whatever commit it is.
    build = builds.alike({"COMMIT_SHA": "changed" if changes else commit})
    if build is None:
        _keep(session, gcloud, decisions, changes)
        tested = "yes" if _is_pushed(gcloud, decisions, commit) else ""
        build = builds.submit("cloudbuild.yaml", {"COMMIT_SHA": commit, "_TESTED": tested})
    builds.follow(build)
    _say_what_is_left(session, gcloud, decisions)


def check_prepared(gcloud: Gcloud, decisions: Decisions) -> None:
    """Raises WrongUsage where a build could not even begin."""
    account = ("iam", "service-accounts", "describe", decisions.account)
    if decisions.state not in buckets(gcloud) or not is_there(gcloud, *account):
        raise WrongUsage(f"{decisions.project} is not prepared. An owner of it does that: kupyterhub prepare")


def _changes(gcloud: Gcloud, decisions: Decisions) -> list[str]:
    """Lines of the decisions that are others than those that were deployed last, as a diff."""
    before = text_of(gcloud, "storage", "cat", decisions.kept) or ""
    now = decisions.file.read_text(encoding="utf-8")
    lines = (text.strip().splitlines() for text in (before, now))
    return list(difflib.unified_diff(next(lines), next(lines), lineterm="", n=0))[2:]


def _keep(session: Session, gcloud: Gcloud, decisions: Decisions, changes: Sequence[str]) -> None:
    """Put the decisions where builds find them; raises NotConfirmed where somebody else's would go."""
    if not changes:
        return
    if any(line.startswith("-") for line in changes):
        session.screen.say("installation.yaml, since it was deployed last:")
        for line in changes:
            session.screen.say(f"  {line}")
        session.screen.ask("Is all of that meant, also if somebody else wrote it?")
    gcloud.run("storage", "cp", str(decisions.file), decisions.kept)


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
