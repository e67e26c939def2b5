"""The entry points with real CloudEvents: what is acknowledged, what is delivered again, and what the log says."""

import json
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import functions_framework
import pytest
from flask import Flask
from google.events.cloud.firestore import Document, DocumentEventData, Value
from werkzeug.test import TestResponse

from kupyterhub import bootstrap
from kupyterhub.domain.errors import TransientError
from twins import World
from twins.world import ADA

MAIN = Path(bootstrap.__file__).parent.parent / "main.py"
PUBSUB = "google.cloud.pubsub.topic.v1.messagePublished"
WRITTEN = "google.cloud.firestore.document.v1.written"
TOPICS = ("on_delete_user", "on_agent_event", "on_reconcile_user", "on_resync")
PREFIX = "projects/p/databases/(default)/documents/users/"
Deliver = Callable[..., TestResponse]


@pytest.fixture
def deliver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deliver]:
    """Send a binary CloudEvent to an entry point; there are no settings in the environment."""
    for variable in ("KUPYTERHUB_SETTINGS", "KUPYTERHUB_MASTER_SECRET_FILE"):
        monkeypatch.delenv(variable, raising=False)
    real = bootstrap.reconciler
    real.cache_clear()

    def post(
        entry_point: str, body: bytes, kind: str = PUBSUB, content_type: str = "application/json"
    ) -> TestResponse:
        app: Flask = functions_framework.create_app(entry_point, str(MAIN))  # type: ignore[no-untyped-call]
        headers = {"ce-id": "1", "ce-source": "//test", "ce-specversion": "1.0", "ce-type": kind}
        return app.test_client().post("/", data=body, headers={**headers, "content-type": content_type})

    yield post
    real.cache_clear()


@pytest.fixture
def wired(world: World, deliver: Deliver, monkeypatch: pytest.MonkeyPatch) -> World:
    """The entry points work on twins, which come in where the real things are wired."""
    monkeypatch.setattr(bootstrap, "reconciler", lambda: world.reconciler)
    return world


def message(data: bytes | str | dict[str, Any], published: str = "2026-03-02T10:00:00.5Z") -> bytes:
    raw = json.dumps(data).encode() if isinstance(data, dict) else data.encode() if isinstance(data, str) else data
    inner = {"data": b64encode(raw).decode(), "messageId": "1", "publishTime": published, "attributes": {}}
    return json.dumps({"message": inner, "subscription": "projects/p/subscriptions/s"}).encode()


def written(user: str, old: dict[str, str] | None, new: dict[str, str] | None) -> bytes:
    def document(fields: dict[str, str] | None) -> Document | None:
        if fields is None:
            return None
        values = {name: Value(string_value=value) for name, value in fields.items()}
        return Document(name=PREFIX + user, fields=values)

    event = DocumentEventData(value=document(new), old_value=document(old))
    serialized: bytes = DocumentEventData.serialize(event)
    return serialized


def send_write(deliver: Deliver, user: str, old: dict[str, str] | None, new: dict[str, str] | None) -> TestResponse:
    return deliver("on_user_written", written(user, old, new), WRITTEN, "application/protobuf")


def test_an_echo_is_acknowledged_without_settings_or_clients(deliver: Deliver) -> None:
    fields = {"email": ADA}

    response = send_write(deliver, "ada", fields, {**fields, "status": "new"})

    assert response.status_code == 200
    assert bootstrap.reconciler.cache_info().currsize == 0


@pytest.mark.parametrize("paths", [["email"], ["status"], []], ids=["email", "status", "empty"])
def test_the_update_mask_is_never_used(deliver: Deliver, wired: World, paths: list[str]) -> None:
    wired.users.set("ada", email=ADA)
    same, other = ({"email": Value(string_value=email)} for email in (ADA, "bob@example.com"))
    mask = {"field_paths": paths}
    statuses = {"status": Value(string_value="new")}
    for old, new, phase in ((same, same | statuses, None), (other, same | statuses, "Provisioning")):
        event = DocumentEventData(
            value=Document(name=f"{PREFIX}ada", fields=new),
            old_value=Document(name=f"{PREFIX}ada", fields=old),
            update_mask=mask,
        )
        body = DocumentEventData.serialize(event)
        assert deliver("on_user_written", body, WRITTEN, "application/protobuf").status_code == 200
        assert wired.status().phase == phase


def test_without_settings_every_other_event_is_delivered_again(deliver: Deliver) -> None:
    assert send_write(deliver, "ada", None, {"email": ADA}).status_code == 500
    assert deliver("on_resync", message({"mode": "due"})).status_code == 500


@pytest.mark.parametrize("user", ["ada", "é 中", "a%2Fb", "with space", "ada@example.com"])
def test_a_written_document_is_looked_at_whatever_its_id(deliver: Deliver, wired: World, user: str) -> None:
    wired.users.set(user, email=ADA)

    assert send_write(deliver, user, None, {"email": ADA}).status_code == 200
    assert wired.status(user).phase == "Provisioning"


def test_a_deleted_document_is_cleaned_up(deliver: Deliver, wired: World) -> None:
    wired.ready()
    wired.users.remove("ada")

    assert send_write(deliver, "ada", {"email": ADA}, None).status_code == 200
    assert wired.objects() == set()


def test_the_email_of_a_deleted_document_is_free_for_another(deliver: Deliver, wired: World) -> None:
    wired.enrol("first")
    wired.users.set("first", state="stopped")
    wired.look("first")
    wired.enrol("second")
    wired.bus.take()
    wired.users.remove("first")
    status = Value(map_value={"fields": {"email": Value(string_value=ADA)}})
    old = Document(name=f"{PREFIX}first", fields={"email": Value(string_value=ADA), "status": status})
    body = DocumentEventData.serialize(DocumentEventData(old_value=old))

    assert deliver("on_user_written", body, WRITTEN, "application/protobuf").status_code == 200
    assert wired.bus.messages == ["second"]


@pytest.mark.parametrize(
    "data",
    [{"email": ADA}, {"user": "ada"}, {"email": ADA, "purge": True}, ADA, f" {ADA}\n", json.dumps(ADA)],
    ids=["email", "user", "purge", "text", "text with space", "JSON text"],
)
def test_delete_user_in_every_form(deliver: Deliver, wired: World, data: str | dict[str, Any]) -> None:
    wired.ready()

    assert deliver("on_delete_user", message(data)).status_code == 200
    assert wired.status().phase == "Deleted"


@pytest.mark.parametrize("purge", ["yes", "true", "false", 1, 0, []])
def test_files_go_only_by_true(deliver: Deliver, wired: World, purge: Any) -> None:
    wired.ready()
    before = wired.users.peek("ada")

    deliver("on_delete_user", message({"email": ADA, "purge": purge}))

    assert wired.users.peek("ada") == before


def test_the_publish_time_is_that_of_the_message(deliver: Deliver, wired: World) -> None:
    wired.ready()
    before = wired.users.peek("ada")

    response = deliver("on_delete_user", message(ADA, published="2026-03-01T00:00:00Z"))

    assert response.status_code == 200
    assert wired.users.peek("ada") == before


def test_an_agents_event_makes_ready(deliver: Deliver, wired: World) -> None:
    wired.enrol()
    name = wired.status().name
    event = {
        "type": "registered",
        "user": "ada",
        "name": name,
        "instance": "pod-1",
        "proxyUrl": f"http://{name}.localhost:8000/",
        "registeredAt": "2026-03-02T09:00:10Z",
        "sentAt": "2026-03-02T09:00:10.123456789Z",
        "something": "new",
    }

    assert deliver("on_agent_event", message(event)).status_code == 200
    assert wired.status().phase == "Ready"


def test_reconcile_user_looks(deliver: Deliver, wired: World) -> None:
    wired.users.set("ada", email=ADA)

    assert deliver("on_reconcile_user", message({"user": "ada"})).status_code == 200
    assert wired.status().phase == "Provisioning"


def test_resync_publishes(deliver: Deliver, wired: World) -> None:
    wired.enrol()
    wired.clock.move(minutes=2)

    assert deliver("on_resync", message({"mode": "due"})).status_code == 200
    assert wired.bus.messages == ["ada"]


RUBBISH: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "blank": (b" \n", "empty"),
    "not UTF-8": (b"\xff\xfe{}", "not UTF-8"),
    "bad JSON": (b'{"user": ', "not JSON"),
    "deep JSON": (b"[" * 100_000, "not JSON"),
    "a list": (b"[]", "the message"),
    "a number": (b"7", "the message"),
    "null": (b"null", "the message"),
    "wrong types": (b'{"user": 7, "email": [], "mode": {}}', "user|mode"),
    "no user": (b'{"user": ""}', "user|mode"),
    "no such id": (b'{"user": "a/b"}', "user|mode"),
    "dots for an id": (b'{"user": ".."}', "user|mode"),
    "a reserved id": (b'{"user": "__a__"}', "user|mode"),
    "a too long id": (json.dumps({"user": "é" * 751}).encode(), "user|mode"),
    "half a character": (b'{"user": "\\ud800"}', "user|mode"),
}


@pytest.mark.usefixtures("wired")
@pytest.mark.parametrize("entry_point", TOPICS)
@pytest.mark.parametrize(("data", "why"), RUBBISH.values(), ids=RUBBISH)
def test_a_message_that_cannot_be_understood_is_logged_and_acknowledged(
    deliver: Deliver, caplog: pytest.LogCaptureFixture, entry_point: str, data: bytes, why: str
) -> None:
    caplog.set_level(logging.WARNING, logger="kupyterhub")

    response = deliver(entry_point, message(data))

    (record,) = caplog.records
    assert response.status_code == 200
    assert record.getMessage().startswith("acknowledged without effect: ")
    assert any(word in record.getMessage() for word in why.split("|"))
    assert len(record.getMessage()) < 1000


@pytest.mark.parametrize("entry_point", TOPICS)
@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'{"message": 7}',
        b'{"message": {"data": "?", "publishTime": "2026-03-02T10:00:00Z"}}',
        b'{"message": {"data": "", "publishTime": "2026-03-02T10:00:00"}}',
    ],
    ids=["no message", "a list", "a number", "no base64", "a time without a zone"],
)
def test_an_event_without_a_message_is_logged_and_acknowledged(
    deliver: Deliver, wired: World, caplog: pytest.LogCaptureFixture, entry_point: str, body: bytes
) -> None:
    assert deliver(entry_point, body).status_code == 200
    assert "holds no Pub/Sub message" in caplog.text


@pytest.mark.parametrize(
    "data",
    ['{"email": "ada@example.com", "user": "ada"}', "{}", '{"email": "nobody at all"}', "remove ada please"],
    ids=["both", "neither", "no e-mail", "a sentence"],
)
def test_a_delete_user_that_names_nobody_is_acknowledged(
    deliver: Deliver, wired: World, caplog: pytest.LogCaptureFixture, data: str
) -> None:
    wired.ready()

    assert deliver("on_delete_user", message(data)).status_code == 200
    assert "acknowledged without effect" in caplog.text
    assert wired.status().phase == "Ready"


def test_a_delete_user_of_an_unknown_person_is_logged(
    deliver: Deliver, wired: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="kupyterhub")

    assert deliver("on_delete_user", message("nobody@example.com")).status_code == 200
    assert "there is no such user" in caplog.text


@pytest.mark.parametrize("body", [b"", b"\xff\xff\xff\xff", b"text"], ids=["empty", "bytes", "text"])
def test_a_firestore_event_that_is_none_is_acknowledged(
    deliver: Deliver, wired: World, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    response = deliver("on_user_written", body, WRITTEN, "application/protobuf")

    assert response.status_code == 200
    assert "acknowledged without effect" in caplog.text


def test_a_transient_error_is_delivered_again(deliver: Deliver, wired: World) -> None:
    def away() -> None:
        raise TransientError("Kubernetes is away")

    wired.users.set("ada", email=ADA)
    wired.cluster.requests.before("create*", away)

    assert send_write(deliver, "ada", None, {"email": ADA}).status_code == 500
    assert send_write(deliver, "ada", None, {"email": ADA}).status_code == 200
    assert wired.status().phase == "Provisioning"


def test_a_bad_document_is_acknowledged(deliver: Deliver, wired: World) -> None:
    wired.users.set("ada", email="nobody")

    assert send_write(deliver, "ada", None, {"email": "nobody"}).status_code == 200
    assert wired.status().phase == "Rejected"


def test_wrong_settings_fail_every_event_and_judge_nobody(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = tmp_path / "kupyterhub.yaml"
    settings.write_text("domain: [")
    monkeypatch.setenv("KUPYTERHUB_SETTINGS", str(settings))

    assert send_write(deliver, "ada", None, {"email": ADA}).status_code == 500
