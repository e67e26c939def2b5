"""A project in the cloud: access, APIs, functions, topics, queues, dead letters, Scheduler, indexes, cluster.

Names of resources are those of infra/gcp.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from kupyterhub_cli.doctor.finding import Finding
from kupyterhub_cli.ports import Google
from kupyterhub_rules.stored import rfc3339

APIS = (
    "cloudfunctions",
    "cloudscheduler",
    "container",
    "eventarc",
    "firestore",
    "monitoring",
    "pubsub",
    "run",
    "secretmanager",
)
PERMISSIONS = (
    "datastore.entities.create",
    "datastore.entities.get",
    "datastore.entities.list",
    "datastore.entities.update",
    "pubsub.topics.publish",
)
TOPICS = ("agent-events", "delete-user", "reconcile-user", "resync")
FUNCTIONS = ("agent-event", "delete-user", "reconcile-user", "resync", "user-written")
JOBS = ("kupyterhub-resync-all", "kupyterhub-resync-due")
INDEXED = ("status.email", "status.nextLookAt", "status.settings", "status.terms")
BACKLOG = timedelta(minutes=10)
_METRIC = "pubsub.googleapis.com/subscription"
_TERRAFORM = "Apply infra/gcp/system again."


class Cloud:
    """Looks at one project."""

    def __init__(self, google: Google, project: str, clock: Callable[[], datetime]) -> None:
        self._google = google
        self._project = project
        self._clock = clock

    def access(self) -> Iterator[Finding]:
        """What the person may do."""
        url = f"https://cloudresourcemanager.googleapis.com/v1/projects/{self._project}:testIamPermissions"
        held = self._google.ask("POST", url, {"permissions": list(PERMISSIONS)}).get("permissions", [])
        yield _all(
            "your access", PERMISSIONS, held, "Ask for the roles roles/datastore.user and roles/pubsub.publisher."
        )

    def apis(self) -> Iterator[Finding]:
        """APIs that are switched on."""
        url = f"https://serviceusage.googleapis.com/v1/projects/{self._project}/services"
        services = self._all_pages(url, "services", {"filter": "state:ENABLED", "pageSize": 200})
        on = [str(each.get("name", "")).rpartition("/")[2].removesuffix(".googleapis.com") for each in services]
        missing = [f"{api}.googleapis.com" for api in APIS if api not in on]
        yield _all("APIs", APIS, on, f"gcloud services enable {' '.join(missing)} --project={self._project}")

    def topics(self) -> Iterator[Finding]:
        """Topics that functions hear of."""
        url = f"https://pubsub.googleapis.com/v1/projects/{self._project}/topics"
        there = [str(each.get("name", "")).rpartition("/")[2] for each in self._all_pages(url, "topics", {})]
        yield _all("topics", TOPICS, there, _TERRAFORM)

    def functions(self) -> Iterator[Finding]:
        """Functions that are deployed and active, and the Scheduler's jobs beside them."""
        active = [each for each in self._functions() if each.get("state") == "ACTIVE"]
        names = [str(each.get("name", "")).rpartition("/")[2].removeprefix("kupyterhub-") for each in active]
        yield _all("functions", FUNCTIONS, names, f"{_TERRAFORM} `gcloud functions list` says what is wrong.")
        regions = sorted({str(each.get("name", "")).split("/")[3] for each in active if each.get("name")})
        jobs = [job for region in regions for job in self._jobs(region) if job.get("state") == "ENABLED"]
        enabled = [str(each.get("name", "")).rpartition("/")[2] for each in jobs]
        yield _all("Cloud Scheduler", JOBS, enabled, f"{_TERRAFORM} A paused job: gcloud scheduler jobs resume NAME")

    def queues(self) -> Iterator[Finding]:
        """Messages that wait for a function for long, and those that none could handle."""
        ages = self._latest(f"{_METRIC}/oldest_unacked_message_age")
        late = {
            name: age for name, age in ages.items() if name.startswith("eventarc-") and age > BACKLOG.total_seconds()
        }
        detail = ", ".join(f"{name}: {age / 60:.0f} minutes" for name, age in late.items())
        yield Finding(
            "queues",
            "bad" if late else "good",
            detail or "no event waits for long",
            "The function behind it fails: read its logs." if late else "",
        )
        waiting = self._latest(f"{_METRIC}/num_undelivered_messages")
        dead = {name: count for name, count in waiting.items() if name.endswith("-dead") and count}
        yield Finding(
            "dead letters",
            "bad" if dead else "good",
            ", ".join(f"{name}: {count:.0f}" for name, count in dead.items()) or "none",
            f"Look: gcloud pubsub subscriptions pull {next(iter(dead))}; resync repairs what they were about."
            if dead
            else "",
        )

    def indexes(self) -> Iterator[Finding]:
        """Fields that are searched."""
        url = (
            f"https://firestore.googleapis.com/v1/projects/{self._project}"
            "/databases/(default)/collectionGroups/users/fields"
        )
        fields = self._all_pages(url, "fields", {"filter": "indexConfig.usesAncestorConfig:false"})
        ready = [
            str(each.get("name", "")).rpartition("/")[2].replace("`", "")
            for each in fields
            if (indexes := each.get("indexConfig", {}).get("indexes"))
            and all(index.get("state") == "READY" for index in indexes)
        ]
        yield _all("indexes", INDEXED, ready, "Apply infra/gcp/data again; an index takes minutes to be built.")

    def clusters(self) -> Iterator[Finding]:
        """Clusters of the project."""
        url = f"https://container.googleapis.com/v1/projects/{self._project}/locations/-/clusters"
        found = {
            str(each.get("name")): each.get("status") for each in self._google.ask("GET", url, {}).get("clusters", [])
        }
        running = [name for name, status in found.items() if status == "RUNNING"]
        yield Finding(
            "cluster",
            "good" if running else "bad",
            ", ".join(f"{name}: {status}" for name, status in found.items()) or "there is none",
            "" if running else f"{_TERRAFORM} `gcloud container clusters list` says what is wrong.",
        )

    def _functions(self) -> list[dict[str, Any]]:
        url = f"https://cloudfunctions.googleapis.com/v2/projects/{self._project}/locations/-/functions"
        return [
            each
            for each in self._all_pages(url, "functions", {})
            if "/functions/kupyterhub-" in str(each.get("name"))
        ]

    def _jobs(self, region: str) -> list[dict[str, Any]]:
        url = f"https://cloudscheduler.googleapis.com/v1/projects/{self._project}/locations/{region}/jobs"
        return self._all_pages(url, "jobs", {})

    def _latest(self, metric: str) -> dict[str, float]:
        """The newest value of a metric, by subscription."""
        now = self._clock()
        asked = {
            "filter": f'metric.type = "{metric}" AND resource.type = "pubsub_subscription"',
            "interval.startTime": rfc3339(now - BACKLOG),
            "interval.endTime": rfc3339(now),
        }
        url = f"https://monitoring.googleapis.com/v3/projects/{self._project}/timeSeries"
        return {
            str(each["resource"]["labels"]["subscription_id"]): float(each["points"][0]["value"].get("int64Value", 0))
            for each in self._all_pages(url, "timeSeries", asked)
        }

    def _all_pages(self, url: str, what: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self._google.ask("GET", url, asked)
            found += page.get(what, [])
            if not (token := page.get("nextPageToken")):
                return found
            asked = {**asked, "pageToken": token}


def _all(what: str, wanted: tuple[str, ...], there: list[str], advice: str) -> Finding:
    missing = [each for each in wanted if each not in there]
    if missing:
        return Finding(what, "bad", f"missing: {', '.join(missing)}", advice)
    return Finding(what, "good", ", ".join(wanted))
