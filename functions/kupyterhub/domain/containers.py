"""Why a container does not run, in words for people: read from its pod's status, for `troubles`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kupyterhub.domain.live import Object
from kupyterhub.domain.quoting import LONGEST, masked, one_line, said
from kupyterhub.domain.refusals import Trouble

_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "ImageInspectError", "SignatureValidationFailed")
_NOT_STARTED = (
    "CreateContainerError",
    "RunContainerError",
    "PreCreateHookError",
    "PreStartHookError",
    "PostStartHookError",
)
_NO_LOG = ("StartError", "ContainerCannotRun")
"""Ends whose message is the machine's; of all others it is the end of the log (FallbackToLogsOnError)."""
_LINES = 3


@dataclass(frozen=True)
class Part:
    """One of the two that a user's pods run."""

    component: str
    """The pods' label, and the name of their container."""
    name: str
    own: str
    """As in `its image`."""


NOTEBOOK = Part("jupyterlab", "JupyterLab", "its")
AGENT = Part("agent", "the agent", "the agent's")


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return f"{text[:1].upper()}{text[1:]}"


def has_started(pod: Object) -> bool:
    """Whether one of the pod's containers has ever run; what only prepares for them does not count."""
    return any(
        key in (each.get(state) or {})
        for each in pod.get("status", {}).get("containerStatuses", [])
        for state in ("state", "lastState")
        for key in ("running", "terminated")
    )


def container_trouble(part: Part, pod: Object) -> Trouble | None:
    """What is wrong with the first of the pod's containers that something is wrong with."""
    return next(
        (trouble for each in _unready(pod) if (trouble := _waiting(part, pod, each) or _end(part, pod, each))), None
    )


def _unready(pod: Object) -> Iterator[dict[str, Any]]:
    status = pod.get("status", {})
    for each in status.get("initContainerStatuses", []):
        if each.get("state", {}).get("terminated", {}).get("exitCode") != 0:
            yield each
    yield from status.get("containerStatuses", [])


def _waiting(part: Part, pod: Object, status: dict[str, Any]) -> Trouble | None:
    waiting = status.get("state", {}).get("waiting", {})
    reason, message = waiting.get("reason"), waiting.get("message")
    says = f" Kubernetes says: {said(message)}" if message else ""
    image = _spec(pod, status).get("image", "")
    its_image = f"{part.own} image {image}".rstrip()
    if reason == "InvalidImageName":
        return Trouble(reason, f"The name of {its_image} is not valid. An administrator should check the settings.")
    if reason in _IMAGE:
        advice = "An administrator should check the image's name and access."
        return Trouble(reason, f"{capital(its_image)} cannot be fetched. {advice}{says}")
    if reason == "CreateContainerConfigError":
        needed = f"Something that {part.own} container needs is missing. An administrator should look."
        return Trouble(reason, f"{needed}{says}")
    if reason in _NOT_STARTED:
        return Trouble(reason, f"{capital(part.own)} container cannot be started; it is tried again.{says}")
    return None


def _end(part: Part, pod: Object, status: dict[str, Any]) -> Trouble | None:
    state, last = status.get("state", {}), status.get("lastState", {})
    loops = state.get("waiting", {}).get("reason") == "CrashLoopBackOff"
    end = state.get("terminated") or last.get("terminated")
    if status.get("ready") or not (end or loops):
        return None
    end = end or {}
    subject = capital(_subject(part, status))
    if end.get("reason") == "OOMKilled":
        limit = _spec(pod, status).get("resources", {}).get("limits", {}).get("memory")
        its = f"its limit of {limit}" if limit else "its limit"
        return Trouble(
            "OutOfMemory", f"{subject} was ended because it used more memory than {its}, and is started again."
        )
    code = f"with exit code {end['exitCode']}" if "exitCode" in end else ""
    if loops or status.get("restartCount", 0) > 1:
        ends = f"{subject} ends again and again{code and f', last {code}'}."
    else:
        ends = f"{subject} ended{code and f' {code}'}, and is started again."
    return Trouble("CrashLoopBackOff", f"{ends} {_why(end) or _where(part, pod, status)}")


def _subject(part: Part, status: dict[str, Any]) -> str:
    name = status.get("name", part.component)
    return part.name if name == part.component else f"{part.own} container {name}"


def _spec(pod: Object, status: dict[str, Any]) -> dict[str, Any]:
    """The container as the pod describes it."""
    spec = pod.get("spec", {})
    described: list[dict[str, Any]] = [*spec.get("initContainers", []), *spec.get("containers", [])]
    return next((each for each in described if each["name"] == status.get("name")), {})


def _why(end: dict[str, Any]) -> str:
    lines = [line for raw in str(end.get("message") or "").splitlines() if (line := masked(one_line(raw)))]
    text = " / ".join(lines[-_LINES:]).rstrip(". ")
    if not text:
        return ""
    # The last of it says most.
    text = text if len(text) <= LONGEST else f"…{text[1 - LONGEST :]}"
    return f"{'Kubernetes says' if end.get('reason') in _NO_LOG else 'Its log ends with'}: {text}."


def _where(part: Part, pod: Object, status: dict[str, Any]) -> str:
    meta, container = pod["metadata"], status.get("name", part.component)
    command = f"kubectl logs --previous -n {meta.get('namespace', '')} {meta['name']} -c {container}"
    return f"An administrator should look at its log ({command})."
