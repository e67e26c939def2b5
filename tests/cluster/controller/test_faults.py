"""An API server or a Firestore that is away: events fail, come again, and all converges once it is back."""

from contextlib import ExitStack

from cluster.controller.system import System, somebody, until
from kupyterhub_local.bridge.snapshot_folder import latest_snapshot


def test_what_was_written_while_the_api_server_was_away_is_made_when_it_is_back(system: System) -> None:
    ada, bob = somebody("ada"), somebody("bob")
    system.enrol(ada)
    system.until_phase(ada.user, "Provisioning")
    system.quiet()

    with ExitStack() as stack:
        with system.running.killed("kube-apiserver"):
            system.enrol(bob)
            system.set(ada.user, state="stopped")
            until(lambda: system.attempts() >= 2, "both events failed")
            # What is asked for is written before anything is made.
            assert [system.status(each.user)["phase"] for each in (ada, bob)] == ["Provisioning", "Provisioning"]
            assert "Kubernetes is away" in system.log()
            stack.enter_context(system.held_up())
        # One that has just started knows nobody's rights; on GKE nobody reaches it before it does.
        until(system.kube.is_ready, "the API server is ready")

    system.until_made(bob)
    system.until_phase(ada.user, "Stopped")
    system.quiet()
    assert len(system.kube.objects(bob.name)) == 7
    system.until_storage_is_left(ada)


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
    system.until_storage_is_left(ada)
