"""Whatever is done to documents, and however events arrive: when all is quiet the cluster is what they say."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from kupyterhub.domain.desired import KINDS
from kupyterhub.domain.policy import Ended, counts_with, email_of, judge
from kupyterhub.domain.users import Status, UserDocument
from kupyterhub_rules.names import base_name
from twins import SETTINGS, World
from twins.pump import Order, Pump
from twins.world import objects_of

EMAILS = ("ada@example.com", "bob@example.com", "Ada@Example.com")
USERS = ("a", "b", "c")
ORDERS: tuple[Order, ...] = ("forward", "reverse", "random")


PATIENT = {
    name: profile.model_copy(update={"ready_deadline": timedelta(days=1)})
    for name, profile in SETTINGS.profiles.items()
}
"""Time passes while events are delivered; it is to make no difference."""


class Crowd:
    """People who do at random what people do, some of it through messages that arrive late."""

    def __init__(self, pump: Pump, seed: int) -> None:
        self._pump = pump
        self._world = pump.world
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.done: list[str] = []
        self.purged: set[str] = set()

    def act(self) -> None:
        user = self._random.choice(USERS)
        known = user in self._world.users.ids()
        acts = [self._enrol] if not known else [
            self._remove, self._move, self._state, self._state, self._restart, self._announce, self._delete_user,
            self._purge, self._misspell, self._misspell_email, self._expire, self._forget_status,
        ]  # fmt: skip
        act = self._random.choice(acts)
        self._world.clock.move(seconds=self._random.choice([0, 1, 30]))
        act(user)

    def _set(self, user: str, **fields: object) -> None:
        self.done.append(f"{user}: {fields}")
        document = self._world.users.set(user, **fields)
        if document.wishes.purge and document.wishes.state == "deleted":
            self.purged.update(filter(None, [email_of(document), document.status.email]))

    def _enrol(self, user: str) -> None:
        self._set(user, email=self._random.choice(EMAILS))

    def _remove(self, user: str) -> None:
        self.done.append(f"{user}: removed")
        self._world.users.remove(user)

    def _move(self, user: str) -> None:
        self._set(user, email=self._random.choice(EMAILS))

    def _state(self, user: str) -> None:
        self._set(user, state=self._random.choice([None, "running", "stopped", "deleted"]), purge=None)

    def _restart(self, user: str) -> None:
        self._set(user, restart=True)

    def _purge(self, user: str) -> None:
        self._set(user, state="deleted", purge=True)

    def _misspell(self, user: str) -> None:
        self._set(user, profile=self._random.choice(["big", "bgi", None]))

    def _misspell_email(self, user: str) -> None:
        self._set(user, email="ada at example.com")

    def _expire(self, user: str) -> None:
        expires = self._world.clock() + timedelta(seconds=self._random.choice([-5, 20, 60]))
        self._set(user, expiresAt=self._random.choice([None, expires]))

    def _forget_status(self, user: str) -> None:
        if self._random.random() < 0.3:
            self._set(user, status=None)

    def _announce(self, user: str) -> None:
        announcement = self._world.announcement(user=user)
        self.done.append(f"{user}: announced")
        self._pump.add(f"registered {user}", partial(self._world.look, user, announcement=announcement))

    def _delete_user(self, user: str) -> None:
        email = self._random.choice(EMAILS)
        published = self._world.clock()
        self.done.append(f"delete-user {email}")
        self._pump.add(f"delete-user {email}", partial(self._world.delete_user, email=email, published=published))


def expect_what_documents_say(world: World, purged: set[str]) -> None:
    """The invariant: exactly the holders who want to run do, and every document says where it stands."""
    now = world.clock()
    documents, claims = [world.users.peek(user) for user in world.users.ids()], world.users.claims()
    expected: set[str] = set()
    tolerated: set[str] = set()
    for document in documents:
        verdict = judge(document, world.settings, now)
        email = email_of(document)
        if isinstance(verdict, Ended):
            assert document.status.phase == "Deleted", document
            continue
        assert document.status.observed == document.observed, document
        if email is None:
            stopped = document.fields.get("state") == "stopped"
            assert document.status.phase == ("Stopped" if stopped else "Rejected"), document
            if not stopped and document.status.email:
                tolerated |= {f"{key} of {document.id}" for key in wanted_objects(world, document.status.email)}
            continue
        assert document.status.email == email, document
        holds = claims.get(base_name(email)) == document.id
        by = claims.get(base_name(email))
        expect_phase(document, holds=holds, other=any(d.id == by and counts_with(d, email, now) for d in documents))
        if holds and document.status.phase in ("Provisioning", "Ready", "Failed"):
            expected |= {f"{key} of {document.id}" for key in wanted_objects(world, email)}
        if holds and document.status.reason == "UnknownProfile":
            tolerated |= {f"{key} of {document.id}" for key in wanted_objects(world, email)}
    running = set(owned(world))
    assert expected <= running, f"missing {sorted(expected - running)}"
    assert running <= expected | tolerated, f"too many {sorted(running - expected - tolerated)}"
    kept = {claim for claim in world.cluster.claims_ever if claim not in {f"home-{base_name(e)}" for e in purged}}
    assert kept <= set(world.cluster.names("PersistentVolumeClaim"))


def expect_phase(document: UserDocument, *, holds: bool, other: bool) -> None:
    if document.fields.get("state") == "stopped":
        assert document.status.phase == "Stopped", document
    elif other and not holds:
        assert (document.status.phase, document.status.reason) == ("Rejected", "DuplicateEmail"), document
    elif document.fields.get("profile") == "bgi":
        assert (document.status.phase, document.status.reason) == ("Rejected", "UnknownProfile"), document
    else:
        assert document.status.phase in ("Provisioning", "Ready", "Failed"), document


def wanted_objects(world: World, email: str) -> set[str]:
    shared = world.settings.agent == "shared"
    return {key for key in objects_of(email) if not (shared and key.split()[1].startswith("agent-"))}


def owned(world: World) -> Iterator[str]:
    for kind in KINDS:
        for name in world.cluster.names(kind):
            if name == "agent":  # everybody's
                continue
            user = world.cluster.get(kind, name)["metadata"]["annotations"]["kupyterhub/user"]
            yield f"{kind} {name} of {user}"


def settle(pump: Pump) -> None:
    pump.until_quiet()
    for _ in range(4):  # longer than a purge lasts that was broken off
        pump.world.cluster.settle()
        pump.world.clock.move(minutes=2)
        pump.add("resync due", partial(pump.world.resync.run, "due"))
        pump.until_quiet()


def expect_that_resync_finds_nothing(pump: Pump) -> None:
    """Comparing everybody with the cluster is the last safety; after a history it should not be needed."""
    world = pump.world
    specs, documents = world.cluster.specs(), [said(world.users.peek(user)) for user in world.users.ids()]
    pump.add("resync all", partial(world.resync.run, "all"))
    pump.until_quiet()
    assert world.cluster.specs() == specs
    assert [said(world.users.peek(user)) for user in world.users.ids()] == documents


def said(document: UserDocument) -> Status:
    """What people see; a claim that a broken-off purge left may be tidied, and what a typo left running be taken."""
    status = replace(document.status, emailSince=None, updatedAt=None)
    return replace(status, message=None, startedAt=None) if email_of(document) is None else status


def patient_world() -> World:
    return World(settings=SETTINGS.model_copy(update={"profiles": PATIENT}))


def run(order: Order, seed: int, overlap: float, *, faults: float = 0.0, operations: int = 25) -> tuple[Pump, Crowd]:
    pump = Pump(patient_world(), order=order, seed=seed, overlap=overlap, faults=faults)
    crowd = Crowd(pump, seed)
    for _ in range(operations):
        crowd.act()
        pump.some(6)
        if pump._random.random() < 0.2:
            pump.world.cluster.settle()
    settle(pump)
    return pump, crowd


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(8))
def test_after_any_history_the_cluster_is_what_the_documents_say(order: Order, seed: int) -> None:
    pump, crowd = run(order, seed, overlap=0.0)

    expect_what_documents_say(pump.world, crowd.purged)
    expect_that_resync_finds_nothing(pump)


@pytest.mark.parametrize("seed", range(24))
def test_looks_that_cut_into_each_other_end_the_same(seed: int) -> None:
    pump, crowd = run("random", seed, overlap=0.05)

    expect_what_documents_say(pump.world, crowd.purged)
    expect_that_resync_finds_nothing(pump)


@pytest.mark.parametrize("seed", range(12))
def test_looks_that_are_killed_half_way_end_the_same(seed: int) -> None:
    pump, crowd = run("random", seed, overlap=0.03, faults=0.02)

    expect_what_documents_say(pump.world, crowd.purged)


@pytest.mark.parametrize("seed", range(8))
def test_agents_that_are_changed_meanwhile_end_as_the_settings_say(seed: int) -> None:
    pump = Pump(patient_world(), order="random", seed=seed, overlap=0.03, faults=0.02)
    crowd, world = Crowd(pump, seed), pump.world
    for _ in range(25):
        crowd.act()
        if pump._random.random() < 0.2:
            agent = pump._random.choice(["per-user", "shared"])
            world.settings = world.settings.model_copy(update={"agent": agent})
            pump.add(f"resync all, {agent}", partial(world.resync.run, "all"))
        pump.some(6)
        if pump._random.random() < 0.2:
            world.cluster.settle()
    pump.faults = 0
    for _ in range(3):
        settle(pump)
        pump.add("resync all", partial(world.resync.run, "all"))
    settle(pump)

    expect_what_documents_say(world, crowd.purged)
    expect_that_resync_finds_nothing(pump)
    names = world.cluster.names("Deployment")
    without = {name.removeprefix("jupyterlab-") for name in names if name.startswith("jupyterlab-")} - {
        name.removeprefix("agent-") for name in names
    }
    assert ("agent" in world.cluster.names("Deployment")) == (world.settings.agent == "shared" or bool(without))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(8))
def test_two_documents_that_swap_release_and_take_back_one_email_end_with_one_holder(order: Order, seed: int) -> None:
    pump = Pump(patient_world(), order=order, seed=seed, overlap=0.05)
    users = pump.world.users
    steps: list[Callable[[], object]] = [
        partial(users.set, "a", email="ada@example.com"),
        partial(users.set, "b", email="bob@example.com"),
        partial(users.set, "a", email="bob@example.com"),
        partial(users.set, "b", email="ada@example.com"),
        partial(users.set, "a", state="deleted"),
        partial(users.set, "b", email="bob@example.com"),
        partial(users.set, "a", state=None),
        partial(users.set, "a", email="ada@example.com"),
    ]
    for step in steps:
        step()
        pump.world.clock.move(seconds=1)
        pump.some(3)
    settle(pump)

    expect_what_documents_say(pump.world, purged=set())
    assert [pump.world.status(user).phase for user in ("a", "b")] == ["Provisioning", "Provisioning"]
