"""What infra/deploy/dead_letters.py sends is what Pub/Sub takes. (The emulator knows no IAM, and no Eventarc.)"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
import requests

from local_system import RunningEmulators
from terraform import scripts

PROJECT = "projects/dead-letters"
SUBSCRIPTION = f"{PROJECT}/subscriptions/eventarc-1"
TOPIC = f"{PROJECT}/topics/user-written-dead"
PUBSUB = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
GRANTS = [{"role": role, "members": [PUBSUB]} for role in ("roles/pubsub.publisher", "roles/pubsub.subscriber")]


class Rest:
    """The emulator, and what it does not know."""

    def __init__(self, host: str, error: type[Exception]) -> None:
        self._host = host
        self._error = error

    def ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        if url.startswith("https://eventarc.googleapis.com/"):
            return {"transport": {"pubsub": {"subscription": SUBSCRIPTION}}}
        if "IamPolicy" in url:
            return {"bindings": GRANTS}
        url = url.replace("https://pubsub.googleapis.com", f"http://{self._host}")
        answer = requests.request(method, url, json=body, timeout=20)
        told: dict[str, Any] = answer.json()
        if not answer.ok:
            raise self._error(told)
        return told


@pytest.fixture(scope="module")
def dead_letters() -> ModuleType:
    return scripts.load("infra/deploy/dead_letters.py")


@pytest.fixture
def rest(emulators: RunningEmulators, dead_letters: ModuleType) -> Rest:
    rest = Rest(emulators.pubsub_host, dead_letters.DeadLettersError)
    for topic in (f"{PROJECT}/topics/resync", TOPIC):
        rest.ask("PUT", f"{dead_letters.PUBSUB}/{topic}", {})
    wanted = {"topic": f"{PROJECT}/topics/resync", "ackDeadlineSeconds": 60}
    rest.ask("PUT", f"{dead_letters.PUBSUB}/{SUBSCRIPTION}", wanted)
    return rest


def test_the_subscription_has_dead_letters_attempts_and_a_week(rest: Rest, dead_letters: ModuleType) -> None:
    letter = dead_letters.DeadLetter("user-written", f"{PROJECT}/locations/eur3/triggers/t", TOPIC)
    dead_letters.set_up(rest, letter)
    now = rest.ask("GET", f"{dead_letters.PUBSUB}/{SUBSCRIPTION}")
    assert now["deadLetterPolicy"] == {"deadLetterTopic": TOPIC, "maxDeliveryAttempts": dead_letters.ATTEMPTS}
    assert now["messageRetentionDuration"] == dead_letters.RETENTION
    # What Eventarc set is as it was.
    assert now["ackDeadlineSeconds"] == 60
