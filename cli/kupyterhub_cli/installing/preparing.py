"""What a project needs before its first build. Doing it again changes nothing."""

import json
import re

from kupyterhub_cli.errors import Refusal
from kupyterhub_cli.installing.asked import buckets, is_there
from kupyterhub_cli.installing.decisions import Decisions
from kupyterhub_cli.installing.quotas import Short, short
from kupyterhub_cli.installing.steps import Steps
from kupyterhub_cli.ports import GcloudRefused
from kupyterhub_cli.session import Session

APIS = (
    "artifactregistry",
    "cloudbuild",
    "cloudresourcemanager",
    "compute",
    "containeranalysis",
    "dns",
    "eventarc",
    "iam",
    "iap",
    "logging",
    "ondemandscanning",
    "pubsub",
    "secretmanager",
    "serviceusage",
    "storage",
)
"""Terraform turns on the others."""
GOOGLES_OWN = ("iap", "pubsub", "eventarc")
"""Services whose account Google makes when it is asked to, and not when their API is on. By one of them
Identity-Aware Proxy calls the portal, by the others messages come to functions."""
ATTEMPTS = 12
PAUSE_SECONDS = 10.0
_NOT_KNOWN_YET = re.compile(
    r"not enabled|not been used|does not exist|not[ _]?found|not ready|unavailable|try again|retry|\b(409|429|503)\b",
    re.IGNORECASE,
)


class Preparation:
    """Makes a project ready for builds, by somebody who owns it."""

    def __init__(self, session: Session, decisions: Decisions) -> None:
        self._gcloud = session.gcloud(decisions.project)
        self._screen = session.screen
        self._sleep = session.sleep
        self._steps = Steps(session.screen, session.clock)
        self._decisions = decisions

    def run(self) -> list[Short]:
        """Do each step; returns quotas that are not enough for all that was decided. Raises Refusal."""
        with self._steps.step("billing"):
            self._check_billing()
        with self._steps.step(f"{len(APIS)} APIs"):
            self._gcloud.run("services", "enable", *(f"{api}.googleapis.com" for api in APIS))
        with self._steps.step("quotas"):
            lacking = self._check_quotas()
        with self._steps.step(f"accounts of Google's own: {', '.join(GOOGLES_OWN)}"):
            self._ask_for_accounts()
        with self._steps.step(f"bucket {self._decisions.state}"):
            self._make_bucket()
        with self._steps.step(f"account {self._decisions.account}"):
            self._make_account()
        if not self._decisions.is_hosted:
            with self._steps.step(f"domain {self._decisions.values['domain']}"):
                self._check_domain()
        return lacking

    def _check_billing(self) -> None:
        try:
            enabled = self._gcloud.ask("billing", "projects", "describe", self._decisions.project)
        except GcloudRefused as refused:
            self._screen.say(f"  not to be seen by you, so this goes on: {refused}", "yellow")
            return
        if not enabled.get("billingEnabled"):
            raise Refusal(
                f"{self._decisions.project} has no billing account. Give it one: "
                f"https://console.cloud.google.com/billing/linkedaccount?project={self._decisions.project}"
            )

    def _check_quotas(self) -> list[Short]:
        described = ("compute", "regions", "describe", self._decisions.region, "--format=json")
        region = json.loads(self._run_until_known(*described))
        project = self._gcloud.ask("compute", "project-info", "describe")
        lacking = list(short(self._decisions.values, region.get("quotas", []), project.get("quotas", [])))
        for quota in lacking:
            self._screen.say(
                f"  {quota.metric}: {quota.left:g} left, {quota.least} needed to begin, {quota.most} with all in use",
                "red" if quota.stops else "yellow",
            )
        return lacking

    def _ask_for_accounts(self) -> None:
        for service in GOOGLES_OWN:
            self._run_until_known(
                *("beta", "services", "identity", "create", f"--service={service}.googleapis.com", "--format=none")
            )
        number = self._gcloud.ask("projects", "describe", self._decisions.project)["projectNumber"]
        self._grant("roles/eventarc.serviceAgent", f"service-{number}@gcp-sa-eventarc.iam.gserviceaccount.com")

    def _make_bucket(self) -> None:
        bucket = self._decisions.state
        # Of the project's own: a bucket of that name may be anybody's.
        if bucket not in buckets(self._gcloud):
            self._gcloud.run(
                *("storage", "buckets", "create", bucket, f"--location={self._decisions.region}"),
                *("--uniform-bucket-level-access", "--public-access-prevention"),
            )
        # A state or a decision that was overwritten can be brought back.
        self._gcloud.run("storage", "buckets", "update", bucket, "--versioning")

    def _make_account(self) -> None:
        if not is_there(self._gcloud, "iam", "service-accounts", "describe", self._decisions.account):
            named = "--display-name=kupyterhub: deploy"
            self._gcloud.run("iam", "service-accounts", "create", "kupyterhub-deploy", named)
        roles = (self._decisions.checkout / "infra/deploy/roles.txt").read_text(encoding="utf-8")
        for line in roles.splitlines():
            if not line.startswith("#"):
                self._grant(line.split()[0], self._decisions.account)

    def _check_domain(self) -> None:
        domain, zone = str(self._decisions.values["domain"]), self._decisions.values.get("dns_zone")
        if zone:
            found = self._gcloud.ask("dns", "managed-zones", "describe", str(zone))
            if not f".{domain}.".endswith(f".{found['dnsName']}"):
                raise Refusal(f"dns_zone: {zone} is of {found['dnsName']}, which {domain} is not in.")
            return
        zones = self._gcloud.ask("dns", "managed-zones", "list") or []
        own = [each["name"] for each in zones if f".{domain}.".endswith(f".{each['dnsName']}")]
        self._screen.say(
            f"  with dns_zone: {own[0]} in installation.yaml its records are made in that zone of this project"
            if own
            else "  its records are yours to make: the deploy says which",
            "yellow",
        )

    def _grant(self, role: str, account: str) -> None:
        self._run_until_known(
            *("projects", "add-iam-policy-binding", self._decisions.project, f"--role={role}"),
            *(f"--member=serviceAccount:{account}", "--condition=None", "--format=none"),
        )

    def _run_until_known(self, *command: str) -> str:
        """What Google has just made, or turned on, is not known everywhere yet."""
        for attempt in range(ATTEMPTS - 1):
            try:
                return self._gcloud.run(*command)
            except GcloudRefused as refused:
                if not _NOT_KNOWN_YET.search(str(refused)):
                    raise
                if not attempt:
                    self._screen.say("  Google does not know everywhere yet what was just made; waiting", "yellow")
                self._sleep(PAUSE_SECONDS)
        return self._gcloud.run(*command)
