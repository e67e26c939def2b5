"""Adding, stopping and removing people with nothing but Google's own clients, and what kubectl shows of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from google.cloud import firestore

from kupyterhub_local.users import document_id
from system.person import Person
from system.running import CHANGE, LocalSystem, eventually, phase

RUNNING_KINDS = "deployments,services,pods,secrets,serviceaccounts"
CLASS_OF_TWENTY = timedelta(seconds=240)


async def notebook_with_a_file(email: str, document: firestore.DocumentReference) -> str:
    """Wait for somebody's JupyterLab, write a file in it, and return the name of their objects."""
    status = phase(document, "Ready")
    async with Person(status["proxyUrl"], email) as person:
        await person.write("kept.txt", f"of {email}")
    return str(status["name"])


def nothing_but_storage_is_left(system: LocalSystem, name: str) -> bool:
    """Wait until nothing of a name runs, and look whether their storage is still there."""
    eventually(lambda: not system.objects(RUNNING_KINDS, name), CHANGE, f"the end of {name} in the cluster")
    return [claim["metadata"]["name"] for claim in system.objects("persistentvolumeclaims", name)] == [f"home-{name}"]


async def test_a_document_becomes_what_kubectl_shows(system: LocalSystem) -> None:
    document = system.add(email="ada@example.com")
    status = phase(document, "Ready")
    name = status["name"]
    shown = system.kubectl("get", "deployments,services,pods")
    assert {
        f"deployment.apps/jupyterlab-{name}",
        f"deployment.apps/agent-{name}",
        f"service/jupyterlab-{name}",
    } < set(shown.split())
    for pod in system.objects("pods", name):
        assert pod["status"]["phase"] == "Running"
        assert pod["metadata"]["name"] in shown
    log = system.kubectl(
        "logs", f"--selector=app.kubernetes.io/component=jupyterlab,app.kubernetes.io/instance={name}"
    )
    assert "Jupyter Server" in log
    assert system.printed_url("ada@example.com") == status["proxyUrl"]


async def test_stopped_and_running_again_with_the_same_files(system: LocalSystem) -> None:
    email = "stops@example.com"
    document = system.add(email=email)
    name = await notebook_with_a_file(email, document)
    document.update({"state": "stopped"})
    phase(document, "Stopped")
    assert nothing_but_storage_is_left(system, name)
    document.update({"state": "running"})
    status = phase(document, "Ready")
    async with Person(status["proxyUrl"], email) as person:
        assert await person.read("kept.txt") == f"of {email}"


async def test_delete_user_removes_and_marks_and_keeps_the_files_until_they_are_purged(system: LocalSystem) -> None:
    email = "leaves@example.com"
    document = system.add(email=email)
    name = await notebook_with_a_file(email, document)
    system.publish("delete-user", email.encode())
    status = phase(document, "Deleted")
    assert nothing_but_storage_is_left(system, name)
    assert (document.get().to_dict() or {})["state"] == "deleted"
    assert "proxyUrl" not in status
    assert files(system, email) == [f"of {email}"]
    system.publish("delete-user", json.dumps({"email": email, "purge": True}).encode())
    # With the pods gone a purge is done at once; else at the look that it asked for, within a minute.
    eventually(lambda: not system.objects("persistentvolumeclaims", name), CHANGE, "the claim's end")
    eventually(lambda: not files(system, email), CHANGE, "the files' end")


async def test_a_document_that_is_deleted_takes_everything_but_the_files(system: LocalSystem) -> None:
    email = "vanishes@example.com"
    document = system.add(email=email)
    name = await notebook_with_a_file(email, document)
    document.delete()
    assert nothing_but_storage_is_left(system, name)
    assert files(system, email) == [f"of {email}"]


def files(system: LocalSystem, email: str) -> list[str]:
    """Return what is in `kept.txt` of somebody, wherever the node keeps it."""
    texts = [path.read_text() for path in (system.state / "node/storage").rglob("kept.txt")]
    return [text for text in texts if text == f"of {email}"]


@pytest.mark.timeout(600)
async def test_twenty_people_at_once_are_ready_and_nothing_was_restarted(system: LocalSystem) -> None:
    emails = [f"class{number:02}@example.com" for number in range(20)]
    users = system.firestore.collection("users")
    batch = system.firestore.batch()
    for email in emails:
        batch.set(users.document(document_id(email)), {"email": email})
    batch.commit()

    def phases() -> dict[str, str]:
        found: dict[str, Any] = {item.id: item.to_dict() or {} for item in users.stream()}
        return {email: found[document_id(email)].get("status", {}).get("phase", "") for email in emails}

    eventually(lambda: set(phases().values()) == {"Ready"}, CLASS_OF_TWENTY, "all twenty Ready")
    listed = json.loads(system.kubectl("get", "pods", "--output=json"))["items"]
    restarts = {
        f"{pod['metadata']['name']}/{container['name']}": container["restartCount"]
        for pod in listed
        for container in pod["status"]["containerStatuses"]
    }
    assert len(restarts) >= 2 * len(emails)
    assert not {container: count for container, count in restarts.items() if count}
