"""The way back, also of what came half-way: what Terraform made by a build, and then what preparing made."""

from kupyterhub_cli.installing import signing_in
from kupyterhub_cli.installing.asked import buckets, is_there
from kupyterhub_cli.installing.builds import Builds
from kupyterhub_cli.installing.decisions import Decisions
from kupyterhub_cli.installing.steps import Steps
from kupyterhub_cli.ports import Gcloud
from kupyterhub_cli.session import Session

SECRETS = (signing_in.SECRET, "kupyterhub-portal-session-key")
"""Those that Terraform does not make."""


def uninstall(session: Session, decisions: Decisions, *, everything: bool) -> None:
    """Take it down; raises Refusal."""
    gcloud, builds = session.gcloud(decisions.project), Builds(session, decisions)
    if _has_state(gcloud, decisions):
        if not is_there(gcloud, "storage", "cat", decisions.kept):
            gcloud.run("storage", "cp", str(decisions.file), decisions.kept)
        builds.by_hand("uninstall.sh", "everything" if everything else "system")
    if everything:
        _forget(session, gcloud, decisions)


def _has_state(gcloud: Gcloud, decisions: Decisions) -> bool:
    """Whether Terraform has made anything; raises GcloudRefused where that cannot be found out."""
    if decisions.state not in buckets(gcloud):
        return False
    return ".tfstate" in gcloud.run("storage", "objects", "list", f"{decisions.state}/**", "--format=value(name)")


def _forget(session: Session, gcloud: Gcloud, decisions: Decisions) -> None:
    """Remove what preparing made. The bucket goes before the account, without which no build could look into it."""
    steps = Steps(session.screen, session.clock)
    with steps.step("secrets"):
        for secret in SECRETS:
            if is_there(gcloud, "secrets", "describe", secret):
                gcloud.run("secrets", "delete", secret)
    with steps.step(f"bucket {decisions.state}"):
        if decisions.state in buckets(gcloud):
            gcloud.run("storage", "rm", "--recursive", decisions.state)
    with steps.step(f"account {decisions.account}"):
        member = f"serviceAccount:{decisions.account}"
        policy = gcloud.ask("projects", "get-iam-policy", decisions.project) or {}
        for binding in policy.get("bindings", []):
            if member in binding.get("members", []):
                gcloud.run(
                    *("projects", "remove-iam-policy-binding", decisions.project, f"--member={member}"),
                    *(f"--role={binding['role']}", "--condition=None", "--format=none"),
                )
        if is_there(gcloud, "iam", "service-accounts", "describe", decisions.account):
            gcloud.run("iam", "service-accounts", "delete", decisions.account)
