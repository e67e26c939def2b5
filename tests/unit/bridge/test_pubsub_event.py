import pytest

from kupyterhub_local.bridge.event import Event, MalformedEventError
from kupyterhub_local.bridge.pubsub_event import pubsub_event

# As the emulator sends it, byte for byte.
PUSH = (
    rb'{"subscription":"projects\/p\/subscriptions\/eventarc-local-resync","message":{"publishTime":'
    rb'"2026-11-24T05:46:09.320Z","data":"eyJtb2RlIjogImR1ZSJ9","publish_time":"2026-11-24T05:46:09.320Z",'
    rb'"messageId":"1","attributes":{"a":"b"},"message_id":"1"}}'
)


def test_a_push_becomes_a_cloud_event_with_the_same_body() -> None:
    assert pubsub_event("on_resync", "p", "resync", PUSH) == Event(
        function="on_resync",
        headers={
            "ce-specversion": "1.0",
            "ce-id": "1-2026-11-24T05:46:09.320Z",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
            "ce-source": "//pubsub.googleapis.com/projects/p/topics/resync",
            "ce-time": "2026-11-24T05:46:09.320Z",
            "content-type": "application/json",
        },
        body=PUSH,
    )


def test_the_first_messages_of_two_emulators_have_different_ids() -> None:
    later = PUSH.replace(b"2026-11-24", b"2026-11-25")

    assert pubsub_event("f", "p", "t", PUSH).id != pubsub_event("f", "p", "t", later).id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"message": 1}',
        b'{"message": {"data": "eA=="}}',
        b'{"message": {"messageId": "1"}}',
    ],
)
def test_a_push_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedEventError, match="messageId"):
        pubsub_event("f", "p", "t", body)
