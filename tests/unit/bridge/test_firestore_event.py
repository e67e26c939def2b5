import base64

import pytest

from kupyterhub_local.bridge.event import Event, MalformedEventError
from kupyterhub_local.bridge.firestore_event import firestore_event

# As the emulator sends it.
SENT = {
    "accept-encoding": "gzip",
    "user-agent": "Google-HTTP-Java-Client/unknown-version (gzip)",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.firestore.document.v1.written",
    "ce-source": "//firestore.googleapis.com/projects/projects/p/databases/(default)",
    "ce-id": "67d4bac3-c613-4842-b8ef-71589e318123",
    "ce-subject": "documents/users/é 中%2F@x",
    "ce-time": "2026-11-24T05:44:58Z",
    "ce-datacontenttype": "application/protobuf",
    "ce-dataschema": "https://github.com/googleapis/google-cloudevents/blob/main/proto/…/data.proto",
    "ce-location": "us-central1",
    "ce-project": "p",
    "ce-database": "(default)",
    "ce-namespace": "(default)",
    "ce-document": "users/é 中%2F@x",
    "content-type": "application/protobuf",
    "content-length": "172",
}
PAYLOAD = b"\x0a\x03abc\x12\x00\x1a\x00\xff"


def test_an_emulators_event_becomes_what_eventarc_sends() -> None:
    event = firestore_event("on_user_written", "p", SENT, base64.b64encode(PAYLOAD))

    assert event == Event(
        function="on_user_written",
        headers={
            "ce-specversion": "1.0",
            "ce-id": "67d4bac3-c613-4842-b8ef-71589e318123",
            "ce-type": "google.cloud.firestore.document.v1.written",
            "ce-source": "//firestore.googleapis.com/projects/p/databases/(default)",
            "ce-subject": "documents/users/é 中%2F@x",
            "ce-time": "2026-11-24T05:44:58Z",
            "ce-dataschema": SENT["ce-dataschema"],
            "ce-location": "us-central1",
            "ce-project": "p",
            "ce-database": "(default)",
            "ce-namespace": "(default)",
            "ce-document": "users/é 中%2F@x",
            "content-type": "application/protobuf",
        },
        body=PAYLOAD,
    )


def test_a_body_that_is_protobuf_already_is_left_as_it_is() -> None:
    assert firestore_event("f", "p", SENT, PAYLOAD).body == PAYLOAD


@pytest.mark.parametrize("name", ["ce-id", "ce-type", "ce-document"])
def test_an_event_without_an_attribute_is_refused_by_the_attributes_name(name: str) -> None:
    with pytest.raises(MalformedEventError, match=name):
        firestore_event("f", "p", {k: v for k, v in SENT.items() if k != name}, b"")


def test_an_event_of_another_type_is_refused() -> None:
    with pytest.raises(MalformedEventError, match=r"v1\.deleted"):
        firestore_event("f", "p", SENT | {"ce-type": "google.cloud.firestore.document.v1.deleted"}, b"")
