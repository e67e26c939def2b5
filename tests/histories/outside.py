"""What happens to the cluster, to settings and to time, whatever people do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from histories.acts import Act
from histories.people import NAMES
from histories.stage import BYSTANDERS, Stage
from kupyterhub.domain.desired import NOTEBOOK
from kupyterhub.domain.labels import APPLIED, EMAIL, USER
from twins.world import SETTINGS

KEYS = (
    "Deployment jupyterlab",
    "Deployment agent",
    "Service jupyterlab",
    "Secret jupyterlab",
    "ServiceAccount agent",
    "NetworkPolicy agent",
    "PersistentVolumeClaim home",
)
PATCHES: dict[str, dict[str, Any]] = {
    "what was applied": {"metadata": {"annotations": {APPLIED: ""}}},
    "whose it is": {"metadata": {"annotations": {EMAIL: "eve@elsewhere.org", USER: "eve"}}},
    "a field of its own": {"spec": {"paused": True}, "metadata": {"annotations": {"note": "mine"}}},
    "a field of the controller": {
        "spec": {"replicas": 0, "selector": {"app.kubernetes.io/component": "nothing"}},
        "data": {"token": "MA=="},
    },
    "the pods' template": {"spec": {"template": {"spec": {"serviceAccountName": "default"}}}},
}


@dataclass(frozen=True)
class Settle:
    """Pods start and end as they should."""

    def do(self, stage: Stage) -> None:
        stage.cluster.settle()


@dataclass(frozen=True)
class AllGoesWell:
    """Pods and agents do their part, and whatever waits is delivered, in order."""

    def do(self, stage: Stage) -> None:
        for _ in range(2):
            stage.cluster.settle()
            stage.watch.after_act()
            stage.agents.announce(quiet=BYSTANDERS)
            for _ in range(len(stage.deliveries.waiting)):
                stage.deliveries.deliver(0, 0)


@dataclass(frozen=True)
class TurnUnavailable:
    """The pods of a Deployment fail, or answer again."""

    key: str
    name: str
    available: bool

    def do(self, stage: Stage) -> None:
        deployment = f"{self.key}-{self.name}"
        if deployment in stage.cluster.names("Deployment"):
            stage.cluster.available(deployment, status="True" if self.available else "False")


@dataclass(frozen=True)
class Drop:
    """`kubectl delete` of one object."""

    key: str
    name: str

    def do(self, stage: Stage) -> None:
        kind, prefix = self.key.split()
        name = f"{prefix}-{self.name}"
        if name not in stage.cluster.names(kind):
            return
        if kind == "PersistentVolumeClaim":
            stage.watch.purges.add(self.name)
            read = stage.cluster.get(kind, name)
            stage.cluster.delete_claim(read)
            return
        if kind == "Deployment":
            stage.watch.dropped(name)
        stage.cluster.drop(kind, name)


@dataclass(frozen=True)
class Change:
    """`kubectl edit` of one object."""

    key: str
    name: str
    what: str

    def do(self, stage: Stage) -> None:
        kind, prefix = self.key.split()
        name = f"{prefix}-{self.name}"
        if name not in stage.cluster.names(kind) or kind == "PersistentVolumeClaim":
            return
        live = stage.cluster.get(kind, name)
        patch = {part: value for part, value in PATCHES[self.what].items() if part in live}
        if kind == "Service" and "spec" in patch:
            patch["spec"] = {key: value for key, value in patch["spec"].items() if key == "selector"}
        if kind == "Deployment" and "spec" in patch:
            patch["spec"] = {key: value for key, value in patch["spec"].items() if key != "selector"}
        if self.key == NOTEBOOK and patch.get("spec", {}).get("replicas") == 0:
            stage.watch.give_reason(self.name)  # that ends its kernels
        stage.cluster.change(kind, name, patch)


@dataclass(frozen=True)
class Deploy:
    """Other settings, which every deploy ends by `resync all`."""

    what: Literal["agent", "allowed", "image", "memory", "maxAge", "big", "secret", "back"]

    def do(self, stage: Stage) -> None:
        now = stage.settings
        default = now.profiles["default"]
        match self.what:
            case "agent":
                update: dict[str, Any] = {"agent": "shared" if now.agent == "per-user" else "per-user"}
            case "allowed":
                narrow = ("*a@example.com", "[xyz]*@example.com")
                update = {"allowed_emails": SETTINGS.allowed_emails if now.allowed_emails == narrow else narrow}
            case "image":
                update = {"images": now.images.model_copy(update={"jupyterlab": f"{now.images.jupyterlab}1"})}
            case "memory":
                update = {"profiles": {**now.profiles, "default": default.model_copy(update={"memory": "512Mi"})}}
            case "maxAge":
                old = default.model_copy(update={"max_age": timedelta(hours=2)})
                update = {"profiles": {**now.profiles, "default": old}}
            case "big":
                update = {"profiles": {name: each for name, each in now.profiles.items() if name != "big"}}
            case "secret":
                update = {}
                stage.master_secret = bytes(reversed(stage.master_secret))
            case "back":
                update = {"profiles": SETTINGS.profiles, "images": SETTINGS.images}
        stage.settings = now.model_copy(update=update)
        stage.publish_resync("all")


@dataclass(frozen=True)
class TimePasses:
    """The clock jumps."""

    by: timedelta

    def do(self, stage: Stage) -> None:
        stage.clock.now += self.by


@dataclass(frozen=True)
class Resync:
    """Cloud Scheduler's minute or hour has come."""

    mode: Literal["due", "all"]

    def do(self, stage: Stage) -> None:
        stage.publish_resync(self.mode)


@dataclass(frozen=True)
class Announce:
    """Agents say what they see."""

    kind: Literal["registered", "idle", "lost"]
    idle_for: timedelta | None = None

    def do(self, stage: Stage) -> None:
        stage.agents.announce(self.kind, self.idle_for, quiet=BYSTANDERS)


@dataclass(frozen=True)
class AnnounceAgain:
    """Something old arrives again."""

    which: int

    def do(self, stage: Stage) -> None:
        stage.agents.repeat(self.which)


@dataclass(frozen=True)
class AnnounceOfTheFuture:
    """An agent's clock is wrong."""

    def do(self, stage: Stage) -> None:
        stage.agents.announce_of_the_future()


JUMPS = (
    timedelta(seconds=1),
    timedelta(seconds=20),
    timedelta(minutes=2),
    timedelta(minutes=6),
    timedelta(minutes=20),
    timedelta(hours=2, minutes=5),
    timedelta(hours=13),
    timedelta(days=3),
)


def time_and_nodes() -> st.SearchStrategy[Act]:
    """What goes on all day."""
    return st.one_of(
        st.builds(Settle),
        st.builds(TimePasses, st.sampled_from(JUMPS)),
        st.builds(Resync, st.sampled_from(("due", "all"))),
        st.builds(Announce, st.just("registered")),
        st.builds(AllGoesWell),
    )


def agents() -> st.SearchStrategy[Act]:
    """What agents say beside that."""
    return st.one_of(
        st.builds(Announce, st.just("lost")),
        st.builds(
            Announce, st.just("idle"), st.sampled_from((timedelta(0), timedelta(minutes=59), timedelta(hours=1)))
        ),
        st.builds(AnnounceAgain, st.integers(0, 20)),
        st.builds(AnnounceOfTheFuture),
    )


def damage() -> st.SearchStrategy[Act]:
    """What others do with kubectl, and nodes that fail."""
    names, keys = st.sampled_from(NAMES), st.sampled_from(KEYS)
    return st.one_of(
        st.builds(Drop, keys, names),
        st.builds(Change, keys, names, st.sampled_from(sorted(PATCHES))),
        st.builds(TurnUnavailable, st.sampled_from(("jupyterlab", "agent")), names, st.booleans()),
    )


def deploys() -> st.SearchStrategy[Act]:
    """Other settings and another master secret."""
    what = ("agent", "allowed", "image", "memory", "maxAge", "big", "secret", "back")
    return st.builds(Deploy, st.sampled_from(what))
