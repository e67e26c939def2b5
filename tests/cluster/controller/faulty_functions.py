"""Instances of the functions behind a network that fails, and the events that they handle at once.

What is raised is delivered again after a pause, events come twice and in any order; those that the controller itself
raises, by what it writes and publishes, come here too, as soon as that took effect.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from google.cloud import firestore, pubsub_v1
from google.cloud.firestore_v1.types import CommitRequest
from google.pubsub_v1.types import PublishRequest
from kubernetes import client, config

from cluster.controller.alone import Alone
from cluster.controller.faulty import Effect, Faults, System, Wire
from cluster.controller.faulty_google import before_google
from cluster.controller.faulty_kubernetes import Impatient, before_kubernetes
from cluster.controller.system import System as Running
from kupyterhub.adapters.bus import Bus
from kupyterhub.adapters.cluster import Cluster
from kupyterhub.adapters.user_store import UserStore
from kupyterhub.events import Look, Message, look_of_reconcile_user
from kupyterhub.reconcile import Outcome, Reconciler
from kupyterhub.removal import Removal
from kupyterhub.resync import Resync
from kupyterhub_local.addresses import HOST
from kupyterhub_local.control_plane.pki import Pki

PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 0.3
_HOSTS: dict[System, str] = {"firestore": "FIRESTORE_EMULATOR_HOST", "pubsub": "PUBSUB_EMULATOR_HOST"}


@dataclass(frozen=True)
class Instance:
    """One instance of the functions, which handles one event at a time."""

    reconciler: Reconciler
    wire: Wire

    @property
    def resync(self) -> Resync:
        return Resync(self.reconciler)

    @property
    def removal(self) -> Removal:
        return Removal(self.reconciler)


@dataclass
class Event:
    """What is delivered until it is handled."""

    name: str
    handle: Callable[[Instance], object]
    raised: list[Exception] = field(default_factory=list)
    """By each delivery so far."""


def looked_at(look: Look) -> Event:
    return Event(f"look at {look.user}", lambda instance: instance.reconciler.reconcile(look))


def answered(look: Look) -> Event:
    return Event(f"reconcile-user {look.user}", lambda instance: instance.resync.answer(look))


def raised_by(effect: Effect) -> Iterator[Event]:
    """The events that the platform makes of what the controller wrote or published."""
    if effect.call.endswith("/Commit"):
        for write in CommitRequest.deserialize(effect.body).writes:
            folder, _, user = write.update.name.rpartition("/")
            # The functions say what they change in a mask: a write of the status alone is an echo.
            if folder.endswith("/documents/users") and set(write.update_mask.field_paths) - {"status"}:
                yield looked_at(Look(user))
    elif effect.call.endswith("/Publish"):
        for message in PublishRequest.deserialize(effect.body).messages:
            yield answered(look_of_reconcile_user(Message(message.data, datetime.now(UTC))))


@dataclass(frozen=True)
class Delivery:
    """How one try to handle an event went."""

    event: Event
    asked: int
    """Requests to the API server, each counted once however often its client sent it."""
    calls: Counter[System]
    """On the wire, each time that something was sent."""
    seconds: float
    outcomes: tuple[Outcome, ...] | None
    """None where it raised."""


def _deliver(event: Event, instance: Instance) -> Delivery:
    wire = instance.wire
    asked, calls, start = len(wire.tries), wire.calls.copy(), time.monotonic()
    outcomes: tuple[Outcome, ...] | None = None
    try:
        said: Any = event.handle(instance)
        outcomes = (said,) if isinstance(said, Outcome) else tuple(said)
    except Exception as e:  # noqa: BLE001 - whatever it is, a platform delivers again
        event.raised.append(e)
    return Delivery(event, len(wire.tries) - asked, wire.calls - calls, time.monotonic() - start, outcomes)


@dataclass
class Deliveries:
    """Events that wait, those who carry them, and what came of it."""

    chance: Random
    done: list[Delivery] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    """What took effect in Kubernetes."""
    _waiting: list[tuple[float, Event]] = field(default_factory=list)
    _busy: int = 0
    _closing: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def add(self, event: Event, times: int = 1) -> None:
        with self._changed:
            self._waiting += [(0.0, replace(event, raised=[])) for _ in range(times)]
            self._changed.notify_all()

    def took_effect(self, effect: Effect) -> None:
        if effect.system == "kubernetes":
            self.effects.append(effect)
        for event in raised_by(effect):
            self.add(event)

    def work(self, instance: Instance) -> None:
        """Handle events until there are none to come."""
        while event := self._take():
            self._handled(_deliver(event, instance))

    def handle_all(self, instance: Instance, most_tries: int) -> None:
        """Handle all that waits in this thread, each event as often as it takes."""
        while self._waiting:
            _, event = self._waiting.pop(0)
            while _deliver(event, instance).outcomes is None:
                assert len(event.raised) < most_tries, f"{event.name} raised {event.raised}"

    def quiet(self, patience_seconds: float) -> None:
        """Wait until every event is handled, those too that an event raises in its turn."""
        with self._changed:
            done = self._changed.wait_for(lambda: not (self._waiting or self._busy), patience_seconds)
            waiting = {event.name: event.raised[-1:] for _, event in self._waiting}
            assert done, f"not handled in {patience_seconds:.0f} s: {waiting}"

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _take(self) -> Event | None:
        with self._changed:
            while not self._closing:
                if ready := [each for each in self._waiting if each[0] <= time.monotonic()]:
                    chosen = self.chance.choice(ready)
                    self._waiting.remove(chosen)
                    self._busy += 1
                    return chosen[1]
                self._changed.wait(PAUSE_SECONDS if self._waiting else None)
            return None

    def _handled(self, delivery: Delivery) -> None:
        with self._changed:
            self.done.append(delivery)
            self._busy -= 1
            if delivery.outcomes is None:
                pause = min(PAUSE_SECONDS * 2 ** len(delivery.event.raised), LONGEST_PAUSE_SECONDS)
                at = time.monotonic() + pause * self.chance.uniform(0.5, 1)
                self._waiting.append((at, delivery.event))
            self._changed.notify_all()


@contextmanager
def instances(
    system: Running, alone: Alone, faults: Faults, deliveries: Deliveries, number: int
) -> Iterator[list[Instance]]:
    """Run so many instances, each in a thread and with connections of its own, until the end."""
    with ExitStack() as stack:
        running = [stack.enter_context(instance(system, alone, faults, deliveries)) for _ in range(number)]
        threads = [threading.Thread(target=deliveries.work, args=(each,)) for each in running]
        for thread in threads:
            thread.start()
        try:
            yield running
        finally:
            deliveries.close()
            for thread in threads:
                thread.join()


@contextmanager
def instance(system: Running, alone: Alone, faults: Faults, deliveries: Deliveries) -> Iterator[Instance]:
    """Run one instance, which does nothing by itself."""
    state, wire = system.running.state, Wire(faults, deliveries.took_effect)
    api_server = f"https://{HOST}:{system.running.system.addresses.ports.apiserver}"
    with ExitStack() as stack:
        configuration = client.Configuration()
        config.load_kube_config(str(state.controller_kubeconfig), client_configuration=configuration)
        # It would say before each request that the server is where the file says.
        configuration.refresh_api_key_hook = None
        configuration.host = stack.enter_context(before_kubernetes(api_server, Pki(state.pki), wire))
        api = stack.enter_context(Impatient(configuration, wire))
        documents, publisher = stack.enter_context(_google(system, alone.namespace, wire))
        reconciler = replace(
            alone.reconciler,
            users=UserStore(documents),
            cluster=Cluster(api, alone.namespace),
            bus=Bus(publisher, alone.namespace),
        )
        yield Instance(reconciler, wire)


@contextmanager
def _google(
    system: Running, project: str, wire: Wire
) -> Iterator[tuple[firestore.Client, pubsub_v1.PublisherClient]]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for of, variable in _HOSTS.items():
            host = system.running.system.environment[variable]
            patch.setenv(variable, stack.enter_context(before_google(of, host, wire)))
        documents, publisher = firestore.Client(project=project), pubsub_v1.PublisherClient()
        patch.undo()
        try:
            yield documents, publisher
        finally:
            publisher.stop()
            documents.close()
