"""Logs of pods, read from Kubernetes with the person's own kubeconfig."""

from collections.abc import Iterator
from typing import Any

import urllib3
from kubernetes import client, config

from kupyterhub_cli.errors import NotRunning, Unavailable
from kupyterhub_cli.place import Place

SECONDS = 20


class PodLogs:
    """`ports.Logs` in one namespace of a cluster."""

    def __init__(self, place: Place, namespace: str) -> None:
        self._namespace = namespace
        configuration = client.Configuration()
        try:
            config.load_kube_config(place.kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
        except (config.ConfigException, OSError) as error:
            raise Unavailable(
                "There is no usable kubeconfig. For a cluster in the cloud: gcloud container clusters "
                "get-credentials CLUSTER --location=LOCATION --dns-endpoint; here: kupyterhub up"
            ) from error
        configuration.retries = 1
        self._pods = client.CoreV1Api(client.ApiClient(configuration))

    def read(self, component: str, name: str, *, lines: int, follow: bool, previous: bool) -> Iterator[str]:
        """Of the newest pod of the component that has this base name."""
        pod = self._newest(component, name)
        try:
            answer = self._pods.read_namespaced_pod_log(
                pod,
                self._namespace,
                tail_lines=lines,
                follow=follow,
                previous=previous,
                _preload_content=False,
                _request_timeout=None if follow else SECONDS,
            )
            yield from _lines(answer)
        except client.ApiException as error:
            raise _refused(error, "read this log", "It may not have begun yet: kupyterhub users show") from error
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable("The cluster broke off in the middle of the log. Ask again.") from error

    def _newest(self, component: str, name: str) -> str:
        selector = f"app.kubernetes.io/instance={name},app.kubernetes.io/component={component}"
        try:
            pods: Any = self._pods.list_namespaced_pod(
                self._namespace, label_selector=selector, _request_timeout=SECONDS
            ).items
        except client.ApiException as error:
            raise _refused(error, f"list pods of {self._namespace}", "Is this the right cluster?") from error
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(
                "The cluster of your kubeconfig does not answer. Is it the right one, and up?"
            ) from error
        if not pods:
            raise NotRunning(
                f"Nothing of {name} runs in namespace {self._namespace}, so there is no log. "
                "`kupyterhub users list` says who is stopped."
            )
        return str(max(pods, key=lambda pod: pod.metadata.creation_timestamp).metadata.name)


def _refused(error: Any, what: str, advice: str) -> Unavailable:
    return Unavailable(f"The cluster did not let you {what} ({error.status} {error.reason}). {advice}")


def _lines(answer: Any) -> Iterator[str]:
    rest = b""
    for piece in answer.stream():
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")
