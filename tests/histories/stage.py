"""Where histories are played: the twins, with events between them that somebody else has to deliver."""

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Literal

from histories.agents import Agents
from histories.deliveries import Deliveries, Event, Port
from histories.watch import Watch
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.claims import Claim
from kupyterhub.events import Deletion, DocumentWrite, Look, look_of_write
from kupyterhub.reconcile import Reconciler
from kupyterhub.settings import Settings
from twins import FakeBus, World
from twins.users import _Version
from twins.world import ADA, BOB, SETTINGS

BYSTANDERS = {"x": "xenia@example.com", "y": "yuri@example.com", "z": "zoe@example.com"}
"""People whom nothing is done to. With them a listing of documents is never short enough to stop a sweep."""
AT_WORK = {"a": ADA, "b": BOB, **BYSTANDERS}


class Topics(FakeBus):
    """Pub/Sub, with each message an event of its own."""

    def __init__(self, stage: "Stage") -> None:
        super().__init__()
        self._stage = stage

    def ask_to_reconcile(self, users: Iterable[str], *, thoroughly: bool = False) -> None:
        for user in users:
            self.requests.note(f"publish reconcile-user {user}{' thoroughly' if thoroughly else ''}")
            self._stage.ask_to_reconcile(user, thoroughly=thoroughly)


@dataclass(frozen=True)
class Moment:
    """Documents and names as they were."""

    documents: dict[str, _Version]
    claims: dict[str, Claim]


@dataclass
class Stage(World):
    """A world in which nothing arrives by itself."""

    settings: Settings = SETTINGS
    tick: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """The `reconcile-user` messages that were published."""
    moments: list[Moment] = field(default_factory=list)
    deliveries: Deliveries = field(init=False)
    watch: Watch = field(init=False)
    agents: Agents = field(init=False)
    _made: dict[tuple[str, bytes], Reconciler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.bus = Topics(self)
        self.watch = Watch(self)
        self.agents = Agents(self)
        self.deliveries = Deliveries(self.now, self.watch.after_write)
        self.users.on_change.append(self._written)
        for requests in (self.users.requests, self.cluster.requests, self.bus.requests):
            requests.always.append(self.deliveries.before)

    @property
    def reconciler(self) -> Reconciler:
        """What an instance of now would have: it reads its settings once."""
        key = (self.settings.model_dump_json(), self.master_secret)
        if key not in self._made:
            twins = {"users": self.users, "cluster": self.cluster, "bus": self.bus}
            ports = {name: Port(twin, self.deliveries) for name, twin in twins.items()}
            self._made[key] = replace(super().reconciler, **ports)
        return self._made[key]

    def now(self) -> int:
        """Counts what has happened."""
        return self.tick

    def next(self, act: object = "") -> None:
        """The next thing is about to happen, a second later."""
        self.tick += 1
        self.deliveries.counts["acts"] += 1
        self.clock.move(seconds=1)
        self.deliveries.lines.append(f"[{self.clock():%d. %H:%M:%S}] {act}")
        self.moments.append(Moment(dict(self.users._versions), dict(self.users._claims)))

    # What can be published.

    def ask_to_reconcile(self, user: str, *, thoroughly: bool) -> None:
        look = Look(user, thoroughly=thoroughly)
        name = f"reconcile-user {user}{' thoroughly' if thoroughly else ''}"
        self.deliveries.add(Event(name, lambda: self.resync.answer(look)))
        self.asked[name] += 1

    def publish_resync(self, mode: Literal["due", "all"]) -> None:
        self.deliveries.add(Event(f"resync {mode}", lambda: self.resync.run(mode)))

    def publish_delete_user(self, *, email: str | None, user: str | None, purge: bool) -> None:
        deletion = Deletion(self.clock(), email, user, purge)
        name = f"delete-user {email or user}{' purge' if purge else ''} of {deletion.published:%H:%M:%S}"
        self.deliveries.add(Event(name, lambda: self.removal.delete(deletion), deletion.published, deletion))

    def publish_announcement(self, said: Announcement) -> None:
        look = Look(said.user, announcement=said)
        name = f"{said.type} {said.user} of {said.registered_at:%H:%M:%S}"
        self.deliveries.add(Event(name, partial(self._look, look), said.sent_at, said))

    def _written(self, write: DocumentWrite) -> None:
        if look := look_of_write(write):
            gone = " (gone)" if write.new is None else ""
            self.deliveries.add(Event(f"written {write.user}{gone}", partial(self._look, look)))

    def _look(self, look: Look) -> object:
        return self.reconciler.reconcile(look)


def opened() -> Stage:
    """A stage with some people at work."""
    return deepcopy(_opened())


@cache
def _opened() -> Stage:
    stage = Stage()
    for user, email in AT_WORK.items():
        stage.users.set(user, email=email)
    for _ in range(3):
        stage.cluster.settle()
        stage.agents.announce(quiet=AT_WORK)
        while stage.deliveries.waiting:
            stage.deliveries.deliver(0, 0)
    stage.clock.move(minutes=5)
    assert {stage.status(user).phase for user in AT_WORK} == {"Ready"}
    stage.deliveries.lines.clear()
    stage.deliveries.counts.clear()
    stage.next()
    stage.watch.after_act()
    stage._made.clear()
    return stage
