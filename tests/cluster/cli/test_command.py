"""The command's adapters on real emulators: what is in Firestore and Pub/Sub afterwards."""

import fcntl
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import pubsub_v1
from google.cloud.firestore import SERVER_TIMESTAMP

from cluster.cli.conftest import CLI, Command
from kupyterhub.domain.users import search_terms
from kupyterhub_rules.names import document_id

MANY = 1000
PHASES = ((2, "Ready"), (1, "Stopped"))
HEAVY = ["google.auth", "google.api_core", "google.cloud.firestore", "grpc", "kubernetes", "requests"]
HOLD = """
import fcntl, os, signal, sys
lock = open(sys.argv[1], "a+")
fcntl.flock(lock, fcntl.LOCK_EX)
lock.write(f"{os.getpid()}\\n")
lock.flush()
print("held", flush=True)
signal.pause()
"""


def test_people_are_added_changed_and_found(command: Command) -> None:
    command.run("users", "add", "ada@example.com,bob@example.com", "--name", "Ada", "--expires", "2099-12-31")
    ada = command.users.document(document_id("ada@example.com"))
    assert ada.get().to_dict()["displayName"] == "Ada"
    ada.update({"status": {"phase": "Ready", "terms": list(search_terms("ada@example.com", "Ada"))}})
    command.run("users", "add", "ADA@example.com", "--expires", "never", "--profile", "gpu")
    assert ada.get().to_dict().keys() == {"email", "displayName", "profile", "status"}
    found, _ = command.run("users", "list", "ada@ex", "--json")
    assert [user["email"] for user in json.loads(found)] == ["ada@example.com"]
    found, _ = command.run("users", "list", "ada@ex", "--phase", "Ready", "--json")
    assert len(json.loads(found)) == 1
    first, more = command.run("users", "list", "--limit", "1", "--json")
    after = more.split("--after ")[1].split(",")[0]
    second, more = command.run("users", "list", "--limit", "1", "--after", after, "--json")
    assert {json.loads(page)[0]["email"] for page in (first, second)} == {"ada@example.com", "bob@example.com"}


def test_a_document_that_another_program_wrote_is_the_user(command: Command) -> None:
    _, document = command.users.add({"email": "ada@example.com", "state": "stopped"})
    command.run("users", "add", "ada@example.com")
    assert [each.id for each in command.users.stream()] == [document.id]
    command.run("users", "start", "Ada@Example.com")
    assert document.get().to_dict() == {"email": "ada@example.com", "state": "running"}
    command.run("users", "stop", document.id, "--yes")
    assert document.get().to_dict()["state"] == "stopped"


def test_an_import_that_is_killed_is_finished_by_the_next(command: Command) -> None:
    file = command.folder / "class.csv"
    file.write_text("email;name\n" + "".join(f"s{n}@example.com;Student {n}\n" for n in range(MANY)) + "nobody;\n")
    with command.start("users", "import", str(file)) as process:
        while not (first := {each.id: each.create_time for each in command.users.limit(500).stream()}):
            assert process.poll() is None
        process.kill()
    before = len(list(command.users.stream()))
    assert before < MANY
    command.users.document(next(iter(first))).update({"state": "stopped"})
    command.run("users", "import", str(file), status=4)
    there = {each.id: each for each in command.users.stream()}
    assert len(there) == MANY
    assert {user: there[user].create_time for user in first} == first
    assert there[next(iter(first))].to_dict()["state"] == "stopped"
    assert (command.folder / "class.rejected.csv").read_text("utf-8-sig").count("nobody") == 2


def test_delete_publishes_what_the_controller_hears_of(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", command.environment["PUBSUB_EMULATOR_HOST"])
    project = command.environment["GOOGLE_CLOUD_PROJECT"]
    command.run("users", "add", "ada@example.com")
    _, err = command.run("users", "delete", "ada@example.com", "--yes", status=1)
    assert "is kupyterhub installed there?" in err
    with (
        pubsub_v1.PublisherClient(credentials=AnonymousCredentials()) as publisher,
        pubsub_v1.SubscriberClient(credentials=AnonymousCredentials()) as subscriber,
    ):
        topic = publisher.topic_path(project, "delete-user")
        publisher.create_topic(name=topic)
        subscription = subscriber.subscription_path(project, "test")
        subscriber.create_subscription(name=subscription, topic=topic)
        command.run("users", "delete", "ada@example.com", "--yes")
        (received,) = subscriber.pull(subscription=subscription, max_messages=10, timeout=20).received_messages
    assert json.loads(received.message.data) == {"user": document_id("ada@example.com")}


def test_watch_says_what_changes(command: Command) -> None:
    _, document = command.users.add({"email": "ada@example.com"})
    with command.start("watch", "--for", "6") as process:
        for phase in ("Provisioning", "Ready"):
            time.sleep(2.5)
            document.update({"status.phase": phase, "status.updatedAt": SERVER_TIMESTAMP})
        out, _ = process.communicate(timeout=30)
    assert [line.split(": ")[1].strip() for line in out.splitlines()] == ["Provisioning", "Ready"]


def test_the_doctor_names_what_does_not_run(command: Command) -> None:
    command.users.add({"email": "ada@example.com", "status": {"phase": "Rejected"}})
    out, _ = command.run("doctor", status=5)
    assert "ok     documents: 1 users" in out
    assert "NOT OK users Rejected: 1" in out


def test_what_the_controller_keeps_beside_users_is_read(command: Command) -> None:
    ready, stopped = ({"phase": phase, "at": datetime(2026, 1, day, tzinfo=UTC)} for day, phase in PHASES)
    _, document = command.users.add({"email": "ada@example.com", "status": {"phase": "Ready", "changes": [ready]}})
    document.collection("history").add(stopped)
    command.client.document("controller/policy").set({"given": False, "stops": 6, "running": 24, "settings": "x"})
    shown, _ = command.run("users", "show", "ada@example.com", "--json")
    assert [each["phase"] for each in json.loads(shown)[0]["history"]] == ["Ready", "Stopped"]
    out, _ = command.run("doctor", status=5)
    assert "NOT OK settings: new ones would stop 6 of 24 who run" in out


def test_an_emulator_that_is_away_is_said_at_once(command: Command) -> None:
    command.environment["FIRESTORE_EMULATOR_HOST"] = "127.0.0.1:1"
    _, err = command.run("users", "list", status=1)
    assert "kupyterhub up" in err


def test_without_credentials_it_says_how_to_sign_in(command: Command) -> None:
    del command.environment["FIRESTORE_EMULATOR_HOST"]
    # Nothing on this machine answers as Google's metadata server.
    command.environment["NO_GCE_CHECK"] = "true"
    _, err = command.run("users", "list", status=1)
    assert "gcloud auth application-default login" in err


def test_help_and_completion_import_nothing_of_google(command: Command) -> None:
    code = f"import sys, kupyterhub_cli.__main__; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(CLI)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    out, _ = command.run("--help")
    assert "--install-completion" in out


def test_down_ends_whoever_holds_the_lock(command: Command, tmp_path: Path) -> None:
    lock = tmp_path / ".kupyterhub/lock"
    lock.parent.mkdir()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        command.run("down")
        assert holder.wait(10) == -15
    # The id in a lock that nobody holds may be anybody's by now.
    _, err = command.run("down")
    assert "No local system runs here" in err
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
