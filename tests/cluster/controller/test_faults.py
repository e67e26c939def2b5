"""An API server or a Firestore that is away: events fail, come again, and all converges once it is back."""

from cluster.controller.system import System, somebody, until
from kupyterhub_local.bridge.snapshot_folder import latest_snapshot


def test_what_was_written_while_the_api_server_was_away_is_made_when_it_is_back(system: System) -> None:
    ada, bob = somebody("ada"), somebody("bob")
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")
    system.quiet()

    with system.running.killed("kube-apiserver"):
        system.enrol(bob)
        system.set(ada.user, state="stopped")
        until(lambda: system.attempts() >= 2, "both events failed")
        assert "phase" not in system.status(bob.user)
        assert system.status(ada.user)["phase"] == "Provisioning"
        assert "Kubernetes is away" in system.log()

    system.until_phase(bob.user, "Provisioning")
    system.until_phase(ada.user, "Stopped")
    system.quiet()
    assert len(system.kube.objects(bob.name)) == 7
    assert set(system.kube.objects(ada.name)) == {f"PersistentVolumeClaim home-{ada.name}"}


def test_what_was_asked_while_firestore_was_away_is_done_when_it_is_back(system: System) -> None:
    ada = somebody()
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")
    system.quiet()
    newest = latest_snapshot(system.running.state.snapshots)
    system.enrol(somebody("bob"), state="stopped")
    until(lambda: latest_snapshot(system.running.state.snapshots) != newest, "a snapshot of all is taken")

    with system.running.killed("firestore"):
        system.publish("delete-user", ada.email.encode())
        until(lambda: system.attempts() >= 1, "the event failed")
        assert "Firestore could not" in system.log()
        assert len(system.kube.objects(ada.name)) == 7

    system.until_phase(ada.user, "Deleted")
    assert set(system.kube.objects(ada.name)) == {f"PersistentVolumeClaim home-{ada.name}"}
