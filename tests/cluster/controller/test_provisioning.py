"""From a document to a server that is announced as ready, by real events, with the functions' own small Role."""

from datetime import datetime

from cluster.controller.kube import uids
from cluster.controller.system import System, somebody, until


def test_a_document_becomes_seven_objects_and_an_announcement_makes_it_ready(system: System) -> None:
    ada = somebody()

    system.enrol(ada)
    status = system.until_made(ada)

    objects = system.kube.objects(ada.name)
    assert set(objects) == {
        f"Deployment jupyterlab-{ada.name}",
        f"Deployment agent-{ada.name}",
        f"Service jupyterlab-{ada.name}",
        f"Secret jupyterlab-{ada.name}",
        f"ServiceAccount agent-{ada.name}",
        f"NetworkPolicy agent-{ada.name}",
        f"PersistentVolumeClaim home-{ada.name}",
    }
    assert status["name"] == ada.name
    assert "proxyUrl" not in status

    ready = system.make_ready(ada)

    assert ready["proxyUrl"] == system.url(ada)
    created = objects[f"Deployment jupyterlab-{ada.name}"]["metadata"]["creationTimestamp"]
    assert ready["startedAt"] == datetime.fromisoformat(created)
    assert system.history(ada.user) == ["Provisioning", "Ready"]
    assert uids(system.kube.objects(ada.name)) == uids(objects)


def test_the_pods_are_let_into_the_restricted_namespace(system: System) -> None:
    ada = somebody()
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")

    pods = until(lambda: found if len(found := system.kube.pods(ada.name)) == 2 else None, "two pods are made")

    assert {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods} == {"jupyterlab", "agent"}
    events = system.kube.items("api/v1", "events")
    refused = [
        e["message"] for e in events if e["reason"] == "FailedCreate" and ada.name in e["involvedObject"]["name"]
    ]
    assert refused == []


def test_stop_start_and_restart(system: System) -> None:
    ada = somebody()
    system.enrol(ada)
    system.make_ready(ada)
    before = uids(system.kube.objects(ada.name))

    system.set(ada.user, state="stopped")
    stopped = system.until_phase(ada.user, "Stopped")
    system.until_storage_is_left(ada)
    assert "proxyUrl" not in stopped

    system.set(ada.user, state="running")
    system.until_made(ada)
    after = uids(system.kube.objects(ada.name))
    claim = f"PersistentVolumeClaim home-{ada.name}"
    assert set(after) == set(before)
    assert {key for key in after if after[key] == before[key]} == {claim}

    system.make_ready(ada)
    started = system.kube.deployment(ada.name)
    system.set(ada.user, restart=True)
    again = system.until_phase(ada.user, "Provisioning")
    deployment = system.kube.deployment(ada.name)
    assert started is not None
    assert deployment is not None
    assert "restart" not in (system.fields(ada.user) or {})
    assert deployment["metadata"]["uid"] == started["metadata"]["uid"]
    assert deployment["metadata"]["generation"] == started["metadata"]["generation"] + 1
    mark = deployment["spec"]["template"]["metadata"]["annotations"]["kupyterhub/restarted-at"]
    assert datetime.fromisoformat(mark) == again["restartedAt"]
    assert system.make_ready(ada)["proxyUrl"] == system.url(ada)


def test_a_change_waits_for_a_restart(system: System) -> None:
    ada = somebody()
    system.enrol(ada)
    system.make_ready(ada)
    before = system.kube.deployment(ada.name)
    assert before is not None

    system.set(ada.user, profile="big")
    status = system.until_phase(
        ada.user, "Ready", message="A change waits for the next start; set restart to true to restart now."
    )
    waiting = system.kube.deployment(ada.name)
    assert waiting is not None
    assert waiting["metadata"]["generation"] == before["metadata"]["generation"]
    assert status["proxyUrl"] == system.url(ada)

    system.set(ada.user, restart=True)
    system.until_phase(ada.user, "Provisioning")
    changed = system.kube.deployment(ada.name)
    assert changed is not None
    container = changed["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "3Gi"}
    assert container["image"] == "registry.example/big:1"


def test_the_status_is_no_cause_for_another_look(system: System) -> None:
    ada = somebody()
    # One who is stopped is never due by time either.
    system.enrol(ada, state="stopped")
    system.until_phase(ada.user, "Stopped")
    system.quiet()
    assert len(system.lines(f"users/{ada.user}:")) == 1
    written = system.update_time(ada.user)

    system.set(ada.user, displayName="Ada")
    until(lambda: len(system.lines(f"users/{ada.user}:")) == 2, "a change is looked at")
    system.quiet()

    assert len(system.lines(f"users/{ada.user}:")) == 2
    assert system.update_time(ada.user) > written
