"""The emulators of the local system, through Google's own clients."""

import pytest
from google.cloud import firestore, pubsub_v1

from local_system import RunningEmulators

PROJECT = "test-emulators"


def test_a_document_is_kept(emulators: RunningEmulators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulators.firestore_host)
    client = firestore.Client(project=PROJECT)
    client.document("users/a").set({"email": "a@example.com"})
    assert client.document("users/a").get().to_dict() == {"email": "a@example.com"}
    client.close()


def test_a_topic_can_be_made(emulators: RunningEmulators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulators.pubsub_host)
    with pubsub_v1.PublisherClient() as publisher:
        topic = publisher.topic_path(PROJECT, "resync")
        publisher.create_topic(name=topic)
        assert publisher.publish(topic, b"{}").result(timeout=10)
