"""Pods on the node, against a real API server."""

import signal
from pathlib import Path
from typing import Any

import jwt

from cluster.node.kube import (
    NAMESPACE,
    Kube,
    NodeProcess,
    container_status,
    eventually,
    is_ready,
    is_running,
    processes,
    waits_for,
)

SERVE = "exec python3 -m http.server 8888 --bind $POD_IP --directory /home/jovyan"
POD_IP = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
READINESS = {"httpGet": {"path": "/", "port": 8888}, "periodSeconds": 1}
HOME = {"volumeMounts": [{"name": "home", "mountPath": "/home/jovyan"}]}


def volumes(**named: Any) -> dict[str, Any]:
    return {"volumes": [{"name": name, **volume} for name, volume in named.items()]}


async def test_a_pod_that_answers_is_ready_at_once_and_the_host_has_no_trace_of_its_mount_paths(kube: Kube) -> None:
    await kube.run("web", SERVE, env=[POD_IP], readinessProbe=READINESS, **HOME, pod=volumes(home={"emptyDir": {}}))
    pod = await kube.pod_when("web", is_ready, seconds=5)
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"].startswith("127.213.")
    assert container_status(pod)["restartCount"] == 0
    assert not exists("/home/jovyan")


async def test_environment_files_and_names_reach_the_container(kube: Kube) -> None:
    await kube.apply("Secret", "secrets", "token", stringData={"token": "s3cret"})
    token = {"serviceAccountToken": {"audience": "http://agents.localhost", "expirationSeconds": 600, "path": "t"}}
    await kube.run(
        "sees",
        "echo $BELOW $TOKEN $0 $1 $KUBERNETES_SERVICE_HOST; cat /etc/kupyterhub/token; echo; cat /var/run/agent/t;"
        " echo; getent hosts agents.localhost; hostname; ls /proc | grep -c '^[0-9]';"
        " touch /etc/kupyterhub/x; sleep 60",
        args=["$(TOKEN)", "$$(TOKEN)"],
        env=[{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "token"}}}],
        volumeMounts=[
            {"name": "token", "mountPath": "/etc/kupyterhub", "readOnly": True},
            {"name": "projected", "mountPath": "/var/run/agent"},
        ],
        pod=volumes(token={"secret": {"secretName": "token"}}, projected={"projected": {"sources": [token]}}),
    )
    lines = await lines_of(kube, "sees", 7)
    assert lines[:2] == ["node s3cret s3cret $(TOKEN) 127.0.0.1", "s3cret"]
    claims = jwt.decode(lines[2], options={"verify_signature": False})
    assert claims["aud"] == ["http://agents.localhost"]
    assert claims["kubernetes.io"]["pod"]["name"] == "sees"
    assert lines[3].split() == ["127.0.0.1", "agents.localhost"]
    assert lines[4] == "sees"
    assert int(lines[5]) < 10
    assert "Read-only file system" in lines[6]


async def test_logs_are_had_by_tail_time_and_run(kube: Kube) -> None:
    await kube.run("talks", "echo one; echo two >&2; sleep 1; exit 3")
    await kube.pod_when("talks", lambda pod: container_status(pod).get("restartCount", 0) == 1 and is_running(pod))
    assert sorted((await kube.logs("talks", previous="true")).splitlines()) == ["one", "two"]
    assert (await kube.logs("talks", follow="true")).count("\n") == 2
    assert len((await kube.logs("talks", tailLines="1")).splitlines()) == 1
    stamped = await kube.logs("talks", timestamps="true", sinceSeconds="60", limitBytes="4")
    assert stamped[:2] == "20"
    assert len(stamped) == 4


async def test_a_container_that_crashes_is_restarted_with_backoff(kube: Kube) -> None:
    await kube.run("crashes", "exit 3")
    status = container_status(await kube.pod_when("crashes", waits_for("CrashLoopBackOff")))
    assert status["restartCount"] == 1
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert "back-off 10s" in status["state"]["waiting"]["message"]


async def test_a_missing_key_is_said_and_its_coming_starts_the_container(kube: Kube) -> None:
    await kube.apply("Secret", "secrets", "late", stringData={"other": "x"})
    source = {"secretKeyRef": {"name": "late", "key": "token"}}
    await kube.run("waits", "sleep 60", env=[{"name": "T", "valueFrom": source}])
    status = container_status(await kube.pod_when("waits", waits_for("CreateContainerConfigError")))
    assert status["state"]["waiting"]["message"] == "couldn't find key 'token' in Secret 'late'"
    await kube.apply("Secret", "secrets", "late", stringData={"token": "x"})
    assert container_status(await kube.pod_when("waits", is_running))["restartCount"] == 0


async def test_a_command_that_does_not_exist_is_named(kube: Kube) -> None:
    await kube.pod(
        "wrong", {"containers": [{"name": "main", "image": "x", "command": ["no-such"]}], "restartPolicy": "Never"}
    )
    pod = await kube.pod_when("wrong", lambda pod: pod["status"]["phase"] == "Failed")
    end = container_status(pod)["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (128, "StartError")
    assert end["message"] == "cannot run 'no-such' in /: No such file or directory"


async def test_init_containers_run_one_by_one_before_the_others(kube: Kube) -> None:
    mount = {"volumeMounts": [{"name": "work", "mountPath": "/work-of-test"}], "image": "x"}
    spec = {
        "restartPolicy": "Never",
        "initContainers": [
            {"name": "one", "command": ["sh", "-c", "sleep 0.3; echo one >> /work-of-test/said"], **mount},
            {"name": "two", "command": ["sh", "-c", "echo two >> /work-of-test/said"], **mount},
        ],
        "containers": [{"name": "main", "command": ["cat", "/work-of-test/said"], **mount}],
        **volumes(work={"emptyDir": {}}),
    }
    await kube.pod("inits", spec)
    await kube.pod_when("inits", lambda pod: pod["status"]["phase"] == "Succeeded")
    assert await kube.logs("inits") == "one\ntwo\n"


async def test_a_failing_liveness_probe_restarts_the_container(kube: Kube) -> None:
    liveness = {"httpGet": {"path": "/", "port": 8888}, "periodSeconds": 1, "failureThreshold": 1}
    await kube.run("dead", "sleep 60", livenessProbe=liveness)
    pod = await kube.pod_when("dead", lambda pod: container_status(pod).get("restartCount", 0) > 0)
    assert container_status(pod)["lastState"]["terminated"]["exitCode"] == 128 + signal.SIGTERM


async def test_a_deleted_pod_may_end_itself_within_its_grace(kube: Kube, node: NodeProcess) -> None:
    script = (
        "trap 'echo bye; sleep 0.5; echo gone > /home/jovyan/end; exit 0' TERM; echo up; while :; do sleep 0.1; done"
    )
    await claim(kube, "home")
    home = {"persistentVolumeClaim": {"claimName": "home"}}
    await kube.run("polite", script, **HOME, pod=volumes(home=home) | {"terminationGracePeriodSeconds": 10})
    await lines_of(kube, "polite", 1)
    await kube.delete("polite")
    assert (node.state / "storage" / NAMESPACE / "home" / "end").read_text() == "gone\n"
    assert list((node.state / "pods").iterdir()) == []


async def test_what_does_not_end_within_its_grace_is_killed_with_all_its_children(kube: Kube) -> None:
    await kube.run("stubborn", "trap '' TERM; sleep 4711 & sleep 4711; sleep 4711")
    await kube.pod_when("stubborn", is_running)
    await kube.delete("stubborn")
    assert processes("sleep 4711") == []


async def test_after_a_hard_kill_of_the_node_nothing_runs_and_its_successor_starts_it_again(
    kube: Kube, node: NodeProcess
) -> None:
    await claim(kube, "home")
    home = {"persistentVolumeClaim": {"claimName": "home"}}
    await kube.run("stays", "echo run >> /home/jovyan/runs; sleep 4712; true", **HOME, pod=volumes(home=home))
    before = await kube.pod_when("stays", is_running)
    node.end(signal.SIGKILL)

    async def nothing_runs() -> bool:
        return not processes("sleep 4712")

    await eventually(nothing_runs, 2)
    node.start()
    after = await kube.pod_when("stays", lambda pod: container_status(pod)["restartCount"] == 1 and is_running(pod))
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["podIP"] == before["status"]["podIP"]
    assert container_status(after)["lastState"]["terminated"]["reason"] == "ContainerStatusUnknown"
    assert (node.state / "storage" / NAMESPACE / "home" / "runs").read_text() == "run\nrun\n"


def exists(path: str) -> bool:
    return Path(path).exists()


async def claim(kube: Kube, name: str) -> None:
    spec = {
        "storageClassName": "kupyterhub",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
    }
    await kube.apply("PersistentVolumeClaim", "persistentvolumeclaims", name, spec=spec)


async def lines_of(kube: Kube, name: str, count: int) -> list[str]:
    await kube.pod_when(name, is_running)

    async def look() -> list[str] | None:
        lines = (await kube.logs(name)).splitlines()
        return lines if len(lines) >= count else None

    return await eventually(look, 10)
