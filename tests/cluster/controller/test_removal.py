"""`delete-user`, in every form that people and programs give it."""

import json
from base64 import b64encode
from datetime import datetime, timedelta

import pytest

from cluster.controller.kube import uids
from cluster.controller.system import Event, Person, System, somebody, until

BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "acknowledged without effect: the message is empty"),
    "not UTF-8": (b"\xff\xfe\xfa", "acknowledged without effect: the message is not UTF-8"),
    "bad JSON": (b'{"email": ', "acknowledged without effect: the message is not JSON"),
    "no field": (b"{}", "acknowledged without effect: delete-user: give either"),
    "wrong type": (
        b'{"email": 5}',
        "acknowledged without effect: delete-user: email: Input should be a valid string",
    ),
    "no e-mail": (b'{"email": "ada at example"}', "acknowledged without effect: delete-user: email: is no e-mail"),
    "a list": (b"[1]", "acknowledged without effect: delete-user: the message"),
    "unknown e-mail": (b"nobody@example.com", "users/nobody@example.com: None (delete-user: there is no such user)"),
    "unknown id": (b'{"user": "nobody"}', "users/nobody: None (delete-user: there is no such user)"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_message_that_nothing_can_be_done_with_is_logged_and_acknowledged(system: System, case: str) -> None:
    data, reason = BAD[case]
    before, failures = len(system.lines(reason)), system.log("bridge").count(" attempt ")

    system.publish("delete-user", data)
    until(lambda: len(system.lines(reason)) == before + 1, f"the log says {reason!r}")
    system.quiet()

    assert system.log("bridge").count(" attempt ") == failures


@pytest.mark.parametrize("form", ["text", "spaced text", "JSON", "user id"])
def test_a_person_is_removed_and_the_notebooks_stay(system: System, form: str) -> None:
    ada = somebody()
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")

    system.publish(
        "delete-user",
        {
            "text": ada.email.encode(),
            "spaced text": f" {ada.email.title()}\n".encode(),
            "JSON": json.dumps({"email": ada.email.upper()}).encode(),
            "user id": json.dumps({"user": ada.user}).encode(),
        }[form],
    )
    status = system.until_phase(ada.user, "Deleted")

    assert (system.fields(ada.user) or {})["state"] == "deleted"
    assert "proxyUrl" not in status
    system.until_storage_is_left(ada)


def test_with_purge_the_notebooks_go(system: System) -> None:
    ada = somebody()
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")

    system.publish("delete-user", {"email": ada.email, "purge": True})
    system.until_phase(ada.user, "Deleted")
    until(lambda: not system.kube.pods(ada.name), "the pods are gone")
    system.publish("resync", {"mode": "due"})
    until(lambda: not system.kube.objects(ada.name), "the storage is gone")
    system.publish("resync", {"mode": "due"})
    status = system.until_phase(ada.user, "Deleted", message="Deleted, and the notebooks purged.")

    assert "purge" not in (system.fields(ada.user) or {})
    assert "nextLookAt" not in status


def test_the_notebooks_of_a_person_without_a_document_are_purged(system: System) -> None:
    ada = somebody()
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")
    system.remove(ada.user)
    system.until_storage_is_left(ada)

    system.publish("delete-user", {"email": ada.email, "purge": True})

    until(lambda: not system.kube.objects(ada.name), "the storage is gone")
    until(lambda: system.lines(f"users/{ada.email}: None (delete-user: there is no such user; the notebooks"), "log")


@pytest.mark.parametrize("way", ["the same document", "a new document"])
def test_a_late_message_is_only_a_look_at_a_person_who_was_enrolled_again(system: System, way: str) -> None:
    ada = somebody()
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")
    system.publish("delete-user", ada.email.encode())
    deleted = system.until_phase(ada.user, "Deleted")
    if way == "the same document":
        system.set(ada.user, state="running")
    else:
        system.remove(ada.user)
        system.enrol(ada)
    system.until_made(ada)
    system.make_ready(ada)
    before = uids(system.kube.objects(ada.name))

    for published in (deleted["deletedAt"], deleted["deletedAt"] - timedelta(hours=1)):
        assert system.deliver(delete_user(ada, published)) // 100 == 2

    assert system.status(ada.user)["phase"] == "Ready"
    assert uids(system.kube.objects(ada.name)) == before


def delete_user(person: Person, published: datetime) -> Event:
    """A `delete-user` message of some time ago."""
    data = b64encode(person.email.encode()).decode()
    message = {"data": data, "messageId": "1", "publishTime": published.isoformat(), "attributes": {}}
    return Event(
        "on_delete_user",
        {
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-source": "//pubsub.googleapis.com/projects/p/topics/delete-user",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
            "content-type": "application/json",
        },
        json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"}).encode(),
    )
