"""What is known about one container, and how the pod's status says it. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from .manifests import Manifest, moment, timestamp

_UNKNOWN_END = 137


@dataclass(frozen=True)
class Waiting:
    """Not running, and why."""

    reason: str
    message: str = ""

    def manifest(self) -> Manifest:
        """Return it as in a pod's status."""
        return {"waiting": {"reason": self.reason} | ({"message": self.message} if self.message else {})}


@dataclass(frozen=True)
class Running:
    """Running since then."""

    started_at: datetime

    def manifest(self) -> Manifest:
        """Return it as in a pod's status."""
        return {"running": {"startedAt": timestamp(self.started_at)}}


@dataclass(frozen=True)
class Terminated:
    """Ended, and how."""

    exit_code: int
    reason: str
    started_at: datetime
    finished_at: datetime
    message: str = ""

    def manifest(self) -> Manifest:
        """Return it as in a pod's status."""
        times = {"startedAt": timestamp(self.started_at), "finishedAt": timestamp(self.finished_at)}
        message = {"message": self.message} if self.message else {}
        return {"terminated": {"exitCode": self.exit_code, "reason": self.reason} | message | times}

    @classmethod
    def of(cls, entry: Manifest) -> Self:
        """Read it back from a pod's status."""
        started, finished = (
            moment(entry[key]) if entry.get(key) else datetime.fromtimestamp(0, UTC)
            for key in ("startedAt", "finishedAt")
        )
        return cls(entry["exitCode"], entry.get("reason", "Error"), started, finished, entry.get("message", ""))


State = Waiting | Running | Terminated


@dataclass(frozen=True)
class ContainerStatus:
    """One container as the node knows it."""

    state: State
    last: Terminated | None = None
    restarts: int = 0
    ready: bool = False
    started: bool = False

    def manifest(self, container: Manifest, pod_uid: str) -> Manifest:
        """Return the entry of `containerStatuses`. The image is only named: this node does not use it."""
        ran = isinstance(self.state, Running | Terminated) or self.last is not None
        return {
            "name": container["name"],
            "state": self.state.manifest(),
            "lastState": self.last.manifest() if self.last else {},
            "ready": self.ready,
            "started": self.started,
            "restartCount": self.restarts,
            "image": container.get("image", ""),
            "imageID": "",
            "containerID": f"kupyterhub://{pod_uid}/{container['name']}/{self.restarts}" if ran else "",
        }

    @classmethod
    def found(cls, entry: Manifest, now: datetime) -> Self:
        """Read what an earlier node wrote. What ran then has ended with that node."""
        state, last = entry.get("state", {}), entry.get("lastState", {})
        previous = Terminated.of(last["terminated"]) if "terminated" in last else None
        restarts = entry.get("restartCount", 0)
        if "running" in state:
            started = moment(state["running"]["startedAt"])
            why = "the node ended while the container ran"
            return cls(Terminated(_UNKNOWN_END, "ContainerStatusUnknown", started, now, why), previous, restarts)
        if "terminated" in state:
            return cls(Terminated.of(state["terminated"]), previous, restarts)
        if previous is not None:
            return cls(previous, previous, restarts)
        return cls(Waiting("ContainerCreating"))

    def ended(self, end: Terminated) -> Self:
        """Return it with its run over."""
        return replace(self, state=end, ready=False, started=False)

    def waiting(self, reason: str, message: str = "") -> Self:
        """Return it waiting; an end that it had becomes its previous one."""
        last = self.state if isinstance(self.state, Terminated) else self.last
        return replace(self, state=Waiting(reason, message), last=last, ready=False, started=False)

    def running(self, since: datetime) -> Self:
        """Return it running, for the first time or once more."""
        last = self.state if isinstance(self.state, Terminated) else self.last
        restarts = self.restarts + 1 if last is not None else 0
        return replace(self, state=Running(since), last=last, restarts=restarts, ready=False, started=False)
