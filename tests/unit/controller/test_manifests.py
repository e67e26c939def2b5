"""The Kubernetes objects of one user, whole, and the facts that hold for every pod."""

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from kupyterhub.domain.names import token, user_hash
from kupyterhub_rules.names import base_name
from twins import World
from twins.world import ADA

NAME = "ada-example-com-b5fc85e55755f9e0"
SECRET = b"0123456789abcdef0123456789abcdef"
TOKEN = token(SECRET, NAME)
RESTRICTED_POD = {
    "runAsUser": 1000,
    "runAsGroup": 1000,
    "runAsNonRoot": True,
    "fsGroup": 1000,
    "fsGroupChangePolicy": "OnRootMismatch",
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESTRICTED_CONTAINER = {"capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False}


def pod_labels(component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": component,
        "app.kubernetes.io/instance": NAME,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "kupyterhub",
        "app.kubernetes.io/managed-by": "kupyterhub",
    }


def metadata(name: str, component: str, **annotations: str) -> dict[str, Any]:
    return {
        "name": name,
        "labels": {**pod_labels(component), "kupyterhub/user-hash": user_hash("ada")},
        "annotations": {"kupyterhub/email": ADA, "kupyterhub/user": "ada", **annotations},
    }


def stated(world: World, kind: str, name: str) -> dict[str, Any]:
    """The object as it was applied, without what the API server adds."""
    obj = world.cluster.get(kind, name)
    for added in ("uid", "resourceVersion", "creationTimestamp", "generation", "finalizers", "managedFields"):
        obj["metadata"].pop(added, None)
    return obj


def hash_of(manifest: dict[str, Any]) -> str:
    return sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:8]


def field(path: str) -> dict[str, Any]:
    return {"valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def probe(path: str, port: int, **more: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}, **more}


def test_the_notebooks_deployment(world: World) -> None:
    world.enrol()

    template = {
        "metadata": {
            "labels": pod_labels("jupyterlab"),
            "annotations": {
                "kupyterhub/token-hash": sha256(TOKEN.encode()).hexdigest()[:16],
                "kupyterhub/activity": "kernels,terminals",
                "kupyterhub/idle-timeout": "3600",
            },
        },
        "spec": {
            "serviceAccountName": "notebook",
            "enableServiceLinks": False,
            "automountServiceAccountToken": False,
            "securityContext": RESTRICTED_POD,
            "containers": [
                {
                    "name": "jupyterlab",
                    "image": "registry.example/jupyterlab:1",
                    "command": ["jupyter", "lab"],
                    "args": [
                        "--ServerApp.ip=$(POD_IP)",
                        "--ServerApp.port=8888",
                        "--ServerApp.port_retries=0",
                        "--ServerApp.open_browser=False",
                        "--ServerApp.root_dir=/home/jovyan",
                        "--ServerApp.allow_remote_access=True",
                        "--ServerApp.quit_button=False",
                        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                        "--LabApp.news_url=None",
                    ],
                    "env": [
                        {"name": "POD_IP", **field("status.podIP")},
                        {"name": "HOME", "value": "/home/jovyan"},
                        {"name": "JUPYTER_RUNTIME_DIR", "value": "/tmp/jupyter"},  # noqa: S108 - the pod's own
                        {
                            "name": "JUPYTER_TOKEN",
                            "valueFrom": {"secretKeyRef": {"name": f"jupyterlab-{NAME}", "key": "token"}},
                        },
                    ],
                    "workingDir": "/home/jovyan",
                    "ports": [{"name": "http", "containerPort": 8888, "protocol": "TCP"}],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "3Gi"},
                        "limits": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "3Gi"},
                    },
                    "readinessProbe": probe("/api", 8888, periodSeconds=2, timeoutSeconds=2),
                    "volumeMounts": [
                        {"name": "home", "mountPath": "/home/jovyan"},
                        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
                    ],
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "securityContext": RESTRICTED_CONTAINER,
                }
            ],
            "volumes": [
                {"name": "home", "persistentVolumeClaim": {"claimName": f"home-{NAME}"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "3Gi"}},
            ],
        },
    }
    template_hash = sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:16]
    others = (
        "Deployment agent",
        "NetworkPolicy agent",
        "Secret jupyterlab",
        "Service jupyterlab",
        "ServiceAccount agent",
    )
    applied = ",".join(f"{key}={hash_of(stated(world, *f'{key}-{NAME}'.split()))}" for key in others)
    noted = {"kupyterhub/template": template_hash, "kupyterhub/applied": applied}
    assert stated(world, "Deployment", f"jupyterlab-{NAME}") == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(f"jupyterlab-{NAME}", "jupyterlab", **noted),
        "spec": {
            "replicas": 1,
            "selector": {
                "matchLabels": {
                    "app.kubernetes.io/instance": NAME,
                    "app.kubernetes.io/component": "jupyterlab",
                }
            },
            "strategy": {"type": "Recreate"},
            "revisionHistoryLimit": 1,
            "template": template,
        },
    }


def test_the_agents_deployment(world: World) -> None:
    world.enrol()

    assert stated(world, "Deployment", f"agent-{NAME}") == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(f"agent-{NAME}", "agent"),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app.kubernetes.io/instance": NAME, "app.kubernetes.io/component": "agent"}},
            "revisionHistoryLimit": 1,
            "template": {
                "metadata": {"labels": {**pod_labels("agent"), "kupyterhub/reaches": "own"}},
                "spec": {
                    "serviceAccountName": f"agent-{NAME}",
                    "priorityClassName": "kupyterhub-serving",
                    "enableServiceLinks": False,
                    "automountServiceAccountToken": False,
                    "securityContext": RESTRICTED_POD,
                    "containers": [
                        {
                            "name": "agent",
                            "image": "registry.example/agent:1",
                            "command": ["python3", "-m", "kupyterhub_agent"],
                            "env": [
                                {"name": "POD_IP", **field("status.podIP")},
                                {"name": "POD_UID", **field("metadata.uid")},
                                {"name": "KUPYTERHUB_PROXY", "value": "local"},
                                {"name": "KUPYTERHUB_PROXY_URL", "value": "http://agents.localhost:8000"},
                                {
                                    "name": "KUPYTERHUB_PROXY_TOKEN_FILE",
                                    "value": "/var/run/kupyterhub/proxy/token",
                                },
                                {"name": "KUPYTERHUB_NAME", "value": NAME},
                                {"name": "KUPYTERHUB_USER", "value": "ada"},
                                {"name": "KUPYTERHUB_EMAIL", "value": ADA},
                                {"name": "KUPYTERHUB_BACKEND", "value": f"http://jupyterlab-{NAME}:8888"},
                                {
                                    "name": "KUPYTERHUB_TOKEN_FILE",
                                    "value": "/var/run/kupyterhub/jupyterlab/token",
                                },
                                {"name": "KUPYTERHUB_IDLE_TIMEOUT", "value": "3600"},
                                {"name": "KUPYTERHUB_ACTIVITY", "value": "kernels,terminals"},
                            ],
                            "ports": [{"name": "health", "containerPort": 8081, "protocol": "TCP"}],
                            "resources": {
                                "requests": {"cpu": "10m", "memory": "64Mi", "ephemeral-storage": "100Mi"},
                                "limits": {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "100Mi"},
                            },
                            "livenessProbe": probe("/healthz", 8081, periodSeconds=10),
                            "readinessProbe": probe("/readyz", 8081, periodSeconds=5),
                            "volumeMounts": [
                                {
                                    "name": "jupyterlab-token",
                                    "readOnly": True,
                                    "mountPath": "/var/run/kupyterhub/jupyterlab",
                                },
                                {"name": "proxy-token", "readOnly": True, "mountPath": "/var/run/kupyterhub/proxy"},
                            ],
                            "terminationMessagePolicy": "FallbackToLogsOnError",
                            "securityContext": RESTRICTED_CONTAINER | {"readOnlyRootFilesystem": True},
                        }
                    ],
                    "volumes": [
                        {
                            "name": "jupyterlab-token",
                            "secret": {
                                "secretName": f"jupyterlab-{NAME}",
                                "items": [{"key": "token", "path": "token"}],
                            },
                        },
                        {
                            "name": "proxy-token",
                            "projected": {
                                "sources": [
                                    {
                                        "serviceAccountToken": {
                                            "audience": "http://agents.localhost",
                                            "expirationSeconds": 3600,
                                            "path": "token",
                                        }
                                    }
                                ]
                            },
                        },
                    ],
                },
            },
        },
    }


def test_the_other_objects(world: World) -> None:
    world.enrol()

    assert stated(world, "Service", f"jupyterlab-{NAME}") == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(
            f"jupyterlab-{NAME}",
            "jupyterlab",
            **{"kupyterhub/activity": "kernels,terminals", "kupyterhub/idle-timeout": "3600"},
        ),
        "spec": {
            "type": "ClusterIP",
            "selector": {"app.kubernetes.io/instance": NAME, "app.kubernetes.io/component": "jupyterlab"},
            "ports": [{"name": "http", "port": 8888, "targetPort": 8888, "protocol": "TCP"}],
        },
    }
    assert stated(world, "Secret", f"jupyterlab-{NAME}") == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(f"jupyterlab-{NAME}", "jupyterlab"),
        "type": "Opaque",
        "data": {"token": b64encode(TOKEN.encode()).decode()},
    }
    assert stated(world, "ServiceAccount", f"agent-{NAME}") == {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(f"agent-{NAME}", "agent"),
        "automountServiceAccountToken": False,
    }
    assert stated(world, "NetworkPolicy", f"agent-{NAME}") == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(f"agent-{NAME}", "agent"),
        "spec": {
            "podSelector": {
                "matchLabels": {"app.kubernetes.io/instance": NAME, "app.kubernetes.io/component": "agent"}
            },
            "policyTypes": ["Egress"],
            "egress": [
                {
                    "to": [
                        {
                            "podSelector": {
                                "matchLabels": {
                                    "app.kubernetes.io/instance": NAME,
                                    "app.kubernetes.io/component": "jupyterlab",
                                }
                            }
                        }
                    ],
                    "ports": [{"protocol": "TCP", "port": 8888}],
                }
            ],
        },
    }
    storage = metadata(f"home-{NAME}", "storage")
    storage["labels"] |= {"kupyterhub/keep": "true"}
    assert stated(world, "PersistentVolumeClaim", f"home-{NAME}") == {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": storage,
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "kupyterhub",
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }


def test_a_profile_gives_image_size_and_storage(world: World) -> None:
    world.enrol(profile="big", image="registry.example/big:2")

    (container,) = stated(world, "Deployment", f"jupyterlab-{NAME}")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/big:2"
    assert container["resources"]["requests"] == {"cpu": "2", "memory": "4Gi", "ephemeral-storage": "3Gi"}
    storage = stated(world, "PersistentVolumeClaim", f"home-{NAME}")
    assert storage["spec"]["resources"]["requests"] == {"storage": "50Gi"}


@pytest.mark.parametrize("component", ["jupyterlab", "agent"])
def test_every_pod_meets_the_restricted_standard_and_knows_nobody_else(world: World, component: str) -> None:
    world.enrol()

    template = stated(world, "Deployment", f"{component}-{NAME}")["spec"]["template"]
    pod = template["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (pod["enableServiceLinks"], pod["automountServiceAccountToken"]) == (False, False)
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
    for container in pod["containers"]:
        assert container["securityContext"].items() >= RESTRICTED_CONTAINER.items()
        assert container["resources"].keys() == {"requests", "limits"}
        assert not any("hostPort" in port for port in container["ports"])


@pytest.mark.parametrize("component", ["jupyterlab", "agent"])
def test_the_documents_label_and_annotations_are_in_no_pod_template(world: World, component: str) -> None:
    world.enrol()

    meta = stated(world, "Deployment", f"{component}-{NAME}")["spec"]["template"]["metadata"]
    assert not {"kupyterhub/user-hash", "kupyterhub/user", "kupyterhub/email"} & {
        *meta["labels"],
        *meta.get("annotations", {}),
    }


def test_the_notebooks_template_is_the_same_for_another_document_of_the_email(world: World) -> None:
    world.enrol()
    before = stated(world, "Deployment", f"jupyterlab-{NAME}")["spec"]
    world.users.remove("ada")
    world.enrol("中 é%2F@")

    assert stated(world, "Deployment", f"jupyterlab-{NAME}")["spec"] == before


def test_what_looks_like_a_variable_in_an_id_is_not_expanded(world: World) -> None:
    world.enrol("$(KUPYTERHUB_NAME)", email="$(pwd)@example.com".replace("(", "{").replace(")", "}"))

    (container,) = next(
        world.cluster.get("Deployment", name)["spec"]["template"]["spec"]["containers"]
        for name in world.cluster.names("Deployment")
        if name.startswith("agent-")
    )
    values = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert values["KUPYTERHUB_USER"] == "$$(KUPYTERHUB_NAME)"
    assert values["KUPYTERHUB_EMAIL"] == "$${pwd}@example.com"


@pytest.mark.parametrize(
    "email",
    [ADA, "a" * 64 + "@example.com", "x" * 242 + "@example.com", "1@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"],
    ids=["short", "64 before the @", "254 characters", "a digit", "every legal character"],
)
def test_no_name_is_longer_than_63(world: World, email: str) -> None:
    world.enrol(email=email)

    assert len(world.cluster.everything()) == 7
    assert max(len(key.split()[1]) for key in world.cluster.everything()) <= 63
    assert all(key.endswith(base_name(email)) for key in world.cluster.everything())
