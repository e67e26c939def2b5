"""People do whatever they do while a third of all calls of all systems goes wrong: it converges, in bounded tries."""

import json
import logging
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from cluster.controller.alone import Alone
from cluster.controller.faulty import Effect, Fault, Faults, Try, Wire, chance
from cluster.controller.faulty_functions import Deliveries, Delivery, instances
from cluster.controller.faulty_kubernetes import RETRY_AFTER_SECONDS
from cluster.controller.faulty_people import Crowd
from cluster.controller.faulty_truth import lies, storage
from cluster.controller.kube import uids
from cluster.controller.system import Person, System
from kupyterhub.domain.claims import PURGE_LASTS
from kupyterhub.domain.errors import TransientError

log = logging.getLogger(__name__)
"""What happened: `pytest --log-cli-level=INFO`."""
SEEDS = [int(seed) for seed in os.environ.get("FAULTY_SEEDS", "2").split()]
STEPS = int(os.environ.get("FAULTY_STEPS", "12"))
PEOPLE = [Person(word, f"{word}@example.com") for word in ("ada", "bob", "cyd", "dan", "eve", "fay")]
BYSTANDER = Person("zoe", "zoe@example.com")
INSTANCES = 6
PATIENCE_SECONDS = 240
ROUNDS = 10
"""Of resyncs, once nothing fails any more."""
MOST_REQUESTS = 60
"""To the API server, of one look."""
MOST_CALLS = 60
"""Of Firestore, of one look."""
MOST_TRIES = 4
"""Of one request to the API server."""


@pytest.mark.parametrize("seed", SEEDS)
def test_it_converges_though_a_third_of_all_calls_goes_wrong(system: System, alone: Alone, seed: int) -> None:
    faults, deliveries = Faults(seed), Deliveries(chance(seed))
    crowd = Crowd(alone, deliveries, chance(seed), PEOPLE)
    alone.ready(BYSTANDER)
    before, start = alone.objects(BYSTANDER), time.monotonic()

    with instances(system, alone, faults, deliveries, INSTANCES) as functions:
        for person in PEOPLE:
            crowd.enrol(person)
        crowd.ask_again(BYSTANDER)
        for _ in range(STEPS):
            crowd.act()
            time.sleep(crowd.chance.uniform(0, 0.3))
        try:
            deliveries.quiet(PATIENCE_SECONDS)
        finally:
            wires = [each.wire for each in functions]
            log.info("%.1f s of %s", time.monotonic() - start, ", ".join(crowd.lines))
            log.info("%s", "\n".join(figures(faults, deliveries, wires)))

    assert_bounded(deliveries.done, tries_of(wires))
    settle(alone)
    assert list(lies(alone)) == []
    assert_storage_is_kept(deliveries.effects, crowd.purged, storage(alone))
    after = alone.objects(BYSTANDER)
    assert uids(after) == uids(before)
    notebook = f"Deployment jupyterlab-{BYSTANDER.name}"
    assert after[notebook]["metadata"]["generation"] == before[notebook]["metadata"]["generation"]


def assert_bounded(done: list[Delivery], tries: list[list[Try]]) -> None:
    unforeseen = [e for each in done for e in each.event.raised if not isinstance(e, TransientError)]
    assert unforeseen == []
    assert [o for each in done for o in each.outcomes or () if o.reason == "DocumentRefused"] == []
    assert max(each.asked for each in done) <= MOST_REQUESTS
    assert max(each.calls["firestore"] for each in done) <= MOST_CALLS
    assert max(map(len, tries)) <= MOST_TRIES
    assert min(pauses(tries, after={Fault("429")})) >= RETRY_AFTER_SECONDS
    # The first retry is at once; those that follow are spread out.
    later = pauses([of_one[1:] for of_one in tries], after={Fault("500"), Fault("503")})
    assert min(later) >= 0.2
    assert max(later) - min(later) > 0.05


def pauses(tries: Iterable[list[Try]], after: set[Fault]) -> list[float]:
    """How long it took from a try that went wrong in these ways to the next."""
    return [then.at - now.at for of_one in tries for now, then in pairwise(of_one) if now.fault in after]


def settle(alone: Alone) -> None:
    """Resync as each minute and each hour, until nobody has to be looked at."""
    for number in range(ROUNDS):
        let_time_pass(alone)
        for mode in ("due", "all"):
            log.info("round %d: %s", number, alone.resync.run(mode)[0].note)
        if not alone.bus.asked:
            return
        looks = {look.user: look for look in alone.bus.asked}
        alone.bus.asked.clear()
        for look in looks.values():
            try:
                log.info("%s", alone.resync.answer(look))
            except TransientError as e:
                log.info("%s: %s", look, e)
        wake(alone)
    pytest.fail(f"after {ROUNDS} rounds somebody still has to be looked at")


def let_time_pass(alone: Alone) -> None:
    """So much that everybody is due who ever will be, and that a purge of which nothing is heard is over."""
    past = datetime.now(UTC) - PURGE_LASTS
    for document in alone.users.every():
        if document.status.nextLookAt:
            alone.set(document.id, status={"nextLookAt": past})
    for claim in alone.users.every_claim():
        if claim.purging:
            alone._documents.collection("names").document(claim.name).update({"since": past})


def wake(alone: Alone) -> None:
    """The node runs the pods of all who start, and the proxy announces them."""
    for document in alone.users.every():
        if document.status.phase == "Provisioning":
            person = Person(document.id, document.status.email or "")
            alone.kube.run_pods(person.name, alone.namespace)
            alone.look(person.user, announcement=alone.announcement(person))


def assert_storage_is_kept(effects: list[Effect], purged: set[str], kept: set[str]) -> None:
    made: set[str] = set()
    for effect in effects:
        method, _, path = effect.call.partition(" ")
        _, is_storage, name = path.partition("/persistentvolumeclaims")
        if is_storage and method == "POST":
            made.add(json.loads(effect.body)["metadata"]["name"].removeprefix("home-"))
        if is_storage and method == "DELETE":
            assert name.removeprefix("/home-") in purged
    assert made - purged <= kept


def figures(faults: Faults, deliveries: Deliveries, wires: list[Wire]) -> Iterator[str]:
    done, tries = deliveries.done, tries_of(wires)
    again = sum(each.outcomes is None for each in done)
    longest = max(done, key=lambda each: each.seconds)
    yield f"{dict(faults.calls)} calls on the wire, of which {faults.used.total()} went wrong:"
    yield from (f"{number} {of}: {fault}" for (of, fault), number in sorted(faults.used.items()))
    stubborn = max((each.event for each in done), key=lambda event: len(event.raised))
    yield f"{len(done)} deliveries, {again} of them in vain; most often {len(stubborn.raised)}: {stubborn.name}"
    yield f"{Counter(map(str, stubborn.raised)).most_common()}"
    yield f"of one delivery at most {max(each.asked for each in done)} requests to the API server, and on the wire"
    yield f"{[(of, max(each.calls[of] for each in done)) for of in faults.calls]}"
    yield f"tries of a request to the API server: {sorted(Counter(map(len, tries)).items())}"
    yield f"the longest look took {longest.seconds:.1f} s: {longest.event.name} {dict(longest.calls)}"
    said = Counter((outcome.phase, outcome.reason) for each in done for outcome in each.outcomes or ())
    yield f"outcomes: {said.most_common()}"


def tries_of(wires: list[Wire]) -> list[list[Try]]:
    return [of_one for wire in wires for of_one in wire.tries]
