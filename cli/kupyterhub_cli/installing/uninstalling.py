"""The way back, also of what came half-way: what Terraform made by a build, and then what preparing made."""

from kupyterhub_cli.installing import signing_in
from kupyterhub_cli.installing.asked import is_there
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
        builds.check_free()
        builds.unlock()
        gcloud.run("storage", "cp", str(decisions.file), decisions.kept)
        what = "everything" if everything else "system"
        build = builds.submit("infra/deploy/by_hand.yaml", {"_SCRIPT": "uninstall.sh", "_ARGUMENT": what})
        session.screen.say(f"Build {build} takes it down. Ctrl-C does not end it.")
        builds.follow(build)
    if everything:
        _forget(session, gcloud, decisions)


def _has_state(gcloud: Gcloud, decisions: Decisions) -> bool:
    """Whether Terraform has made anything; raises GcloudRefused where that cannot be found out."""
    if decisions.state not in (bucket.rstrip("/") for bucket in gcloud.run("storage", "ls").splitlines()):
        return False
    return ".tfstate" in gcloud.run("storage", "objects", "list", f"{decisions.state}/**", "--format=value(name)")


def _forget(session: Session, gcloud: Gcloud, decisions: Decisions) -> None:
    """Remove what preparing made, the bucket last: with it nobody knows any more what there was."""
    steps = Steps(session.screen, session.clock)
    with steps.step("secrets"):
        for secret in SECRETS:
            _gone(gcloud, ("secrets", "describe", secret), ("secrets", "delete", secret))
    with steps.step(f"account {decisions.account}"):
        member = f"serviceAccount:{decisions.account}"
        policy = gcloud.ask("projects", "get-iam-policy", decisions.project) or {}
        for binding in policy.get("bindings", []):
            if member in binding.get("members", []):
                gcloud.run(
                    *("projects", "remove-iam-policy-binding", decisions.project, f"--member={member}"),
                    *(f"--role={binding['role']}", "--condition=None", "--format=none"),
                )
        account = ("iam", "service-accounts")
        _gone(gcloud, (*account, "describe", decisions.account), (*account, "delete", decisions.account))
    with steps.step(f"bucket {decisions.state}"):
        _gone(
            gcloud,
            ("storage", "buckets", "describe", decisions.state),
            ("storage", "rm", "--recursive", decisions.state),
        )


def _gone(gcloud: Gcloud, describe: tuple[str, ...], delete: tuple[str, ...]) -> None:
    if is_there(gcloud, *describe):
        gcloud.run(*delete)
