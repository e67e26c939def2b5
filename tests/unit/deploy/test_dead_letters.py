"""Dead letters on Eventarc's subscriptions, against a twin that knows what Google takes."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from terraform import scripts

TRIGGER = "projects/my-project/locations/eur3/triggers/kupyterhub-user-written-1"
SUBSCRIPTION = "projects/my-project/subscriptions/eventarc-eur3-kupyterhub-user-written-1-sub-1"
TOPIC = "projects/my-project/topics/user-written-dead"
PUBSUB = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
OUTPUTS = {
    "dead_letters": {
        "value": {"user-written": {"location": "eur3", "topic": "user-written-dead", "trigger": TRIGGER}}
    }
}


class Rest:
    """Eventarc and Pub/Sub with one trigger; anything that they would refuse is a failure of the test."""

    def __init__(self) -> None:
        self.trigger: dict[str, Any] = {"transport": {"pubsub": {"subscription": SUBSCRIPTION}}}
        self.subscription: dict[str, Any] = {"name": SUBSCRIPTION, "messageRetentionDuration": "86400s"}
        self.policies: dict[str, dict[str, Any]] = {
            SUBSCRIPTION: {
                "etag": "1",
                "bindings": [{"role": "roles/pubsub.viewer", "members": ["user:a@example.com"]}],
            },
            TOPIC: {"etag": "1", "bindings": [{"role": "roles/pubsub.publisher", "members": [PUBSUB]}]},
        }
        self.writes = 0
        self.takes = True

    def ask(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        host, path = url.removeprefix("https://").split("/v1/")
        if (method, host) == ("GET", "eventarc.googleapis.com"):
            assert path == TRIGGER
            return self.trigger
        assert host == "pubsub.googleapis.com"
        name, _, verb = path.partition(":")
        self.writes += method != "GET"
        match method, verb:
            case "GET", "getIamPolicy":
                return self.policies[name]
            case "POST", "setIamPolicy":
                assert body is not None
                assert body["policy"]["etag"] == self.policies[name]["etag"]
                self.policies[name] = dict(body["policy"])
                return self.policies[name]
            case "GET", "":
                return self.subscription
            case "PATCH", "":
                assert body is not None
                assert body["subscription"]["name"] == name
                fields = body["updateMask"].split(",")
                assert set(fields) == set(body["subscription"]) - {"name"}
                assert 5 <= body["subscription"]["deadLetterPolicy"]["maxDeliveryAttempts"] <= 100
                if self.takes:
                    self.subscription |= {field: body["subscription"][field] for field in fields}
                return self.subscription
        raise AssertionError((method, url))


@pytest.fixture(scope="module")
def dead_letters() -> ModuleType:
    return scripts.load("infra/deploy/dead_letters.py")


@pytest.fixture
def rest() -> Rest:
    return Rest()


def test_a_subscription_gets_dead_letters_attempts_and_a_week(dead_letters: ModuleType, rest: Rest) -> None:
    (letter,) = dead_letters.read(OUTPUTS)
    assert dead_letters.set_up(rest, letter) == SUBSCRIPTION
    assert rest.subscription["deadLetterPolicy"] == {"deadLetterTopic": TOPIC, "maxDeliveryAttempts": 30}
    assert rest.subscription["messageRetentionDuration"] == "604800s"
    assert rest.policies[SUBSCRIPTION]["bindings"] == [
        {"role": "roles/pubsub.viewer", "members": ["user:a@example.com"]},
        {"role": "roles/pubsub.subscriber", "members": [PUBSUB]},
    ]


def test_a_second_time_changes_no_right(dead_letters: ModuleType, rest: Rest) -> None:
    (letter,) = dead_letters.read(OUTPUTS)
    dead_letters.set_up(rest, letter)
    before, writes = rest.policies[SUBSCRIPTION], rest.writes
    dead_letters.set_up(rest, letter)
    assert rest.policies[SUBSCRIPTION] == before
    assert rest.writes == writes + 1


def test_without_the_right_to_publish_dead_letters_nothing_is_set(dead_letters: ModuleType, rest: Rest) -> None:
    rest.policies[TOPIC] = {"etag": "1"}
    (letter,) = dead_letters.read(OUTPUTS)
    with pytest.raises(dead_letters.DeadLettersError, match="may not publish"):
        dead_letters.set_up(rest, letter)
    assert rest.writes == 0


def test_a_trigger_without_a_subscription_is_told(dead_letters: ModuleType, rest: Rest) -> None:
    rest.trigger = {"transport": {}}
    (letter,) = dead_letters.read(OUTPUTS)
    with pytest.raises(dead_letters.DeadLettersError, match="no subscription for user-written"):
        dead_letters.set_up(rest, letter)


def test_a_change_that_does_not_stay_is_told(dead_letters: ModuleType, rest: Rest) -> None:
    rest.takes = False
    (letter,) = dead_letters.read(OUTPUTS)
    with pytest.raises(dead_letters.DeadLettersError, match="is not changed"):
        dead_letters.set_up(rest, letter)


def test_outputs_of_a_system_that_is_not_applied_are_refused(dead_letters: ModuleType) -> None:
    with pytest.raises(dead_letters.DeadLettersError, match="apply infra/gcp/system first"):
        dead_letters.read({})
