"""The OAuth client by which people sign in. Google has no way to make one but its console, so a person does."""

import sys
from getpass import getpass

from kupyterhub_cli.errors import WrongUsage
from kupyterhub_cli.installing.asked import is_there
from kupyterhub_cli.installing.decisions import Decisions
from kupyterhub_cli.session import Session

SECRET = "kupyterhub-client-secret"  # noqa: S105 - its name


def check(session: Session, decisions: Decisions) -> None:
    """Ask for the client's secret where a client is wanted and there is none yet; raises WrongUsage."""
    identity = decisions.values.get("identity") or {}
    portal = decisions.values.get("portal") or {}
    client = portal.get("client_id") if decisions.is_hosted else identity.get("client_id")
    if not client:
        if not decisions.is_hosted:
            raise WrongUsage(how_to_make_one(decisions))
        return
    gcloud = session.gcloud(decisions.project)
    made = is_there(gcloud, "secrets", "describe", SECRET)
    if made and gcloud.ask("secrets", "versions", "list", SECRET, "--filter=state=ENABLED"):
        return
    if not sys.stdin.isatty():
        verb = "versions add" if made else "create"
        raise WrongUsage(
            f"The secret of the OAuth client {client} is missing. Put it into a file, and then: "
            f"gcloud secrets {verb} {SECRET} --project={decisions.project} --data-file=FILE"
        )
    secret = getpass(f"The secret of the OAuth client {client} (it is not shown): ").strip()
    if not secret:
        raise WrongUsage("No secret was given. Nothing was deployed.")
    if not made:
        gcloud.run("secrets", "create", SECRET, "--replication-policy=automatic")
    gcloud.run("secrets", "versions", "add", SECRET, "--data-file=-", given=secret)


def how_to_make_one(decisions: Decisions) -> str:
    """What a person has to do in the console."""
    back = f"https://login.{decisions.values.get('domain')}/callback"
    if (decisions.values.get("identity") or {}).get("mode") == "iap":
        back = "https://iap.googleapis.com/v1/oauth/clientIds/CLIENT_ID:handleRedirect"
    return "\n".join(
        (
            "identity.client_id is missing in installation.yaml: people sign in by an OAuth client. With Google:",
            f"  1. https://console.cloud.google.com/auth/overview?project={decisions.project}",
            '     Get started. "Internal" is your own organisation; "External" is everybody, once it is published.',
            f"  2. https://console.cloud.google.com/auth/clients/create?project={decisions.project}",
            "     A web application. Authorized redirect URIs:",
            f"       {back}",
            "  3. Write its id as identity.client_id, and deploy: it asks for the secret.",
        )
    )
