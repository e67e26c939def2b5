import base64
import json

import pytest
from google.cloud import pubsub_v1
from google.cloud.firestore import Client
from google.events.cloud.firestore import DocumentEventData

from cluster.bridge.rig import Bridge, Functions, eventually

WRITTEN = "on_user_written"


def payload(body: bytes) -> DocumentEventData:
    data: DocumentEventData = DocumentEventData.deserialize(body)
    return data


async def test_creating_changing_and_deleting_a_document_are_three_events(
    bridge: Bridge, functions: Functions, documents: Client
) -> None:
    user = documents.collection("users").document("a")
    user.set({"email": "a@example.com"})
    user.update({"email": "b@example.com"})
    user.delete()
    await eventually(lambda: len(functions.of(WRITTEN)) == 3)

    calls = functions.of(WRITTEN)
    by_kind = {("value" in payload(c.body), "old_value" in payload(c.body)): payload(c.body) for c in calls}
    created, changed, deleted = by_kind[True, False], by_kind[True, True], by_kind[False, True]
    assert created.value.fields["email"].string_value == "a@example.com"
    assert changed.old_value.fields["email"].string_value == "a@example.com"
    assert changed.value.fields["email"].string_value == "b@example.com"
    assert deleted.old_value.fields["email"].string_value == "b@example.com"
    assert len({call.headers["ce-id"] for call in calls}) == 3


async def test_an_event_has_the_headers_that_eventarc_gives_it(
    bridge: Bridge, functions: Functions, documents: Client
) -> None:
    documents.collection("users").document("a").set({})
    await eventually(lambda: len(functions.of(WRITTEN)) == 1)

    headers = functions.of(WRITTEN)[0].headers
    assert headers["ce-source"] == f"//firestore.googleapis.com/projects/{bridge.project}/databases/(default)"
    assert headers["ce-type"] == "google.cloud.firestore.document.v1.written"
    assert headers["ce-specversion"] == "1.0"
    assert headers["ce-subject"] == "documents/users/a"
    assert headers["ce-document"] == "users/a"
    assert headers["ce-project"] == bridge.project
    assert headers["content-type"] == "application/protobuf"


@pytest.mark.parametrize(
    "name", ["é", "中", "a%2Fb", "two words", " ", "a@example.com", "a#?&=+", "'\"\\", "😀" * 300]
)
async def test_a_documents_id_arrives_in_the_payload(
    bridge: Bridge, functions: Functions, documents: Client, name: str
) -> None:
    documents.collection("users").document(name).set({"email": "é"})
    await eventually(lambda: len(functions.of(WRITTEN)) == 1)

    value = payload(functions.of(WRITTEN)[0].body).value
    assert value.name.rsplit("/", 1)[1] == name
    assert value.fields["email"].string_value == "é"


async def test_the_largest_documents_arrive(bridge: Bridge, functions: Functions, documents: Client) -> None:
    user = documents.collection("users").document("large")
    user.set({"text": "x" * 1_000_000})
    user.set({"text": "y" * 1_000_000})
    await eventually(lambda: len(functions.of(WRITTEN)) == 2)


async def test_documents_elsewhere_are_no_event(bridge: Bridge, functions: Functions, documents: Client) -> None:
    documents.document("users/a/history/1").set({})
    documents.document("other/a").set({})
    documents.document("users/last").set({})
    await eventually(lambda: len(functions.calls) > 0)

    assert [payload(call.body).value.name.rsplit("/", 1)[1] for call in functions.calls] == ["last"]


@pytest.mark.parametrize(
    ("topic", "function"),
    [
        ("delete-user", "on_delete_user"),
        ("agent-events", "on_agent_event"),
        ("resync", "on_resync"),
        ("reconcile-user", "on_reconcile_user"),
    ],
)
async def test_a_message_arrives_as_a_cloud_event(
    bridge: Bridge,
    functions: Functions,
    monkeypatch: pytest.MonkeyPatch,
    topic: str,
    function: str,
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{bridge.ports.pubsub}")
    with pubsub_v1.PublisherClient() as publisher:
        name = publisher.topic_path(bridge.project, topic)
        message_id = publisher.publish(name, b"\x00\xff text", origin="é").result(timeout=30)  # type: ignore[call-arg, arg-type]
    await eventually(lambda: len(functions.calls) == 1)

    (call,) = functions.of(function)
    message = json.loads(call.body)["message"]
    assert base64.b64decode(message["data"]) == b"\x00\xff text"
    assert message["messageId"] == message_id
    assert message["attributes"] == {"origin": "é"}
    assert call.headers["ce-time"] == message["publishTime"]
    assert call.headers["ce-source"] == f"//pubsub.googleapis.com/{name}"
    assert call.headers["ce-type"] == "google.cloud.pubsub.topic.v1.messagePublished"
    assert json.loads(call.body)["subscription"].startswith(f"projects/{bridge.project}/subscriptions/")
