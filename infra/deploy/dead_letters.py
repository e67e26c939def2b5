# ruff: noqa: INP001 - a script, of no package
"""Sets on Eventarc's subscriptions what Terraform cannot: dead letters, attempts, and seven days of retention.

    terraform -chdir=infra/gcp/system output -json | python3 infra/deploy/dead_letters.py

Pub/Sub's own account needs two roles for it: to publish to the dead-letter topic, which Terraform grants and this
checks, and to take a message from the subscription, which this grants. Doing it again changes nothing.
https://cloud.google.com/pubsub/docs/handling-failures
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import google.auth
from google.auth.transport.requests import AuthorizedSession

EVENTARC = "https://eventarc.googleapis.com/v1"
PUBSUB = "https://pubsub.googleapis.com/v1"
SECONDS = 60

ATTEMPTS = 30
"""With Eventarc's backoff of 10 to 600 seconds: four to five hours. Looks of `resync` repair what comes after."""
RETENTION = "604800s"
"""Seven days, the longest that costs nothing more than what is kept. Eventarc's own is one day."""
_SUBSCRIBER = "roles/pubsub.subscriber"
_PUBLISHER = "roles/pubsub.publisher"
_PUBSUBS_OWN = "@gcp-sa-pubsub.iam.gserviceaccount.com"


class DeadLettersError(Exception):
    """A subscription is not as it should be; the text says which, and what to do."""


class Rest(Protocol):
    """Google's REST interfaces."""

    def ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Give the JSON answer; raises DeadLettersError."""


@dataclass(frozen=True)
class DeadLetter:
    """A function's trigger, and the topic for what the function could not handle."""

    function: str
    trigger: str
    """`projects/<id>/locations/<location>/triggers/<name>`"""
    topic: str
    """`projects/<id>/topics/<name>`"""


def read(outputs: Mapping[str, Any]) -> list[DeadLetter]:
    """Read Terraform's output `dead_letters`; raises DeadLettersError."""
    found = outputs.get("dead_letters", {}).get("value")
    if not found:
        raise DeadLettersError("Terraform's output dead_letters is missing; apply infra/gcp/system first")
    letters = []
    for function, each in sorted(found.items()):
        project = each["trigger"].split("/")[1]
        letters.append(DeadLetter(function, each["trigger"], f"projects/{project}/topics/{each['topic']}"))
    return letters


def set_up(rest: Rest, letter: DeadLetter) -> str:
    """Bring a trigger's subscription to how it should be, and return its name; raises DeadLettersError."""
    told = rest.ask("GET", f"{EVENTARC}/{letter.trigger}")
    subscription = told.get("transport", {}).get("pubsub", {}).get("subscription")
    if not subscription:
        raise DeadLettersError(
            f"Eventarc names no subscription for {letter.function}; the trigger is just being made, so deploy again"
        )
    url = f"{PUBSUB}/{subscription}"
    _grant(rest, url, _account(rest, letter))
    wanted = {
        "deadLetterPolicy": {"deadLetterTopic": letter.topic, "maxDeliveryAttempts": ATTEMPTS},
        "messageRetentionDuration": RETENTION,
    }
    rest.ask("PATCH", url, {"subscription": {"name": subscription, **wanted}, "updateMask": ",".join(wanted)})
    now = rest.ask("GET", url)
    if {field: now.get(field) for field in wanted} != wanted:
        raise DeadLettersError(f"{subscription} took the change and is not changed; deploy again")
    return str(subscription)


def _account(rest: Rest, letter: DeadLetter) -> str:
    """Pub/Sub's own account, as Terraform let it publish to the dead-letter topic."""
    for role, member in _members(rest.ask("GET", f"{PUBSUB}/{letter.topic}:getIamPolicy")):
        if role == _PUBLISHER and member.endswith(_PUBSUBS_OWN):
            return member
    raise DeadLettersError(f"Pub/Sub may not publish to {letter.topic}, so nothing could go there; apply Terraform")


def _grant(rest: Rest, url: str, member: str) -> None:
    policy = rest.ask("GET", f"{url}:getIamPolicy")
    if (_SUBSCRIBER, member) in _members(policy):
        return
    # With the policy's etag: a grant that somebody makes meanwhile is refused, and not lost.
    bindings = [*policy.get("bindings", []), {"role": _SUBSCRIBER, "members": [member]}]
    rest.ask("POST", f"{url}:setIamPolicy", {"policy": {**policy, "bindings": bindings}})


def _members(policy: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for binding in policy.get("bindings", []):
        for member in binding["members"]:
            yield binding["role"], member


class GoogleRest:
    """`Rest` with the credentials of where this runs."""

    def __init__(self) -> None:
        credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
        self._session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]

    def ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask; raises DeadLettersError with what Google says was wrong."""
        answer = self._session.request(method, url, json=body, timeout=SECONDS)  # type: ignore[no-untyped-call]
        told: dict[str, Any] = answer.json() if answer.content else {}
        if not answer.ok:
            message = told.get("error", {}).get("message", "")
            raise DeadLettersError(f"{method} {url}: {answer.status_code} {message}")
        return told


def main() -> None:
    """Set up every function's; raises DeadLettersError."""
    rest = GoogleRest()
    for letter in read(json.load(sys.stdin)):
        subscription = set_up(rest, letter)
        sys.stdout.write(f"{letter.function}: {subscription} -> {letter.topic}, after {ATTEMPTS} attempts\n")


if __name__ == "__main__":
    try:
        main()
    except DeadLettersError as error:
        sys.exit(f"dead_letters.py: {error}")
