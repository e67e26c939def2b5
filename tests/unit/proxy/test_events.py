"""Events on their way out."""

from datetime import UTC, datetime

import pytest

from kupyterhub_tunnel.agent_events import AgentEvent, Outbox, PublishFailed

THEN = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
EVENT = AgentEvent("registered", "u-1", "ada-0123456789abcdef", "uid", "http://a/", THEN)


class FlakyPublisher:
    """Fails so many times, then takes everything."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.taken: list[dict[str, str]] = []

    async def publish(self, fields: dict[str, str]) -> None:
        if self.failures:
            self.failures -= 1
            raise PublishFailed("away")
        self.taken.append(fields)


def test_an_event_has_the_fields_of_its_contract() -> None:
    assert EVENT.fields(THEN) == {
        "type": "registered",
        "user": "u-1",
        "name": "ada-0123456789abcdef",
        "instance": "uid",
        "proxyUrl": "http://a/",
        "registeredAt": "2026-01-02T03:04:05.678901Z",
        "sentAt": "2026-01-02T03:04:05.678901Z",
    }


async def test_an_event_is_tried_again_until_it_is_taken() -> None:
    publisher = FlakyPublisher(2)
    outbox = Outbox(publisher, lambda: THEN)
    outbox.put(EVENT)
    await outbox.close(10)
    assert publisher.taken == [EVENT.fields(THEN)]


async def test_closing_gives_up_what_cannot_be_sent(caplog: pytest.LogCaptureFixture) -> None:
    publisher = FlakyPublisher(10**9)
    outbox = Outbox(publisher)
    outbox.put(EVENT)
    await outbox.close(0.05)
    assert publisher.taken == []
