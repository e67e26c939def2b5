"""Each call of a look goes wrong once, in each way: the next deliveries make all good, without any resync."""

import os
from collections.abc import Callable
from uuid import uuid4

import pytest

from cluster.controller.alone import Alone
from cluster.controller.faulty import Fault, Faults, Once, chance
from cluster.controller.faulty_functions import Deliveries, instance, looked_at
from cluster.controller.faulty_truth import lies_about
from cluster.controller.system import Person, System, until
from kupyterhub.events import Look

MOST_TRIES = 3
"""Of an event of which one call goes wrong."""
EVERYTHING = "FAULTY_EVERYTHING" in os.environ
"""Takes half an hour; else only the ways that have misled the functions once."""
MISLEADING = frozenset({Fault("409"), Fault("RESOURCE_EXHAUSTED", after=True)})


def enrol(alone: Alone, person: Person) -> Look:
    alone.set(person.user, email=person.email)
    return Look(person.user)


def announce(alone: Alone, person: Person) -> Look:
    alone.look(enrol(alone, person).user)
    return Look(person.user, announcement=alone.announcement(person))


def change_email(alone: Alone, person: Person) -> Look:
    alone.set(person.user, email=f"former.{person.email}")
    alone.look(person.user)
    return enrol(alone, person)


def restart(alone: Alone, person: Person) -> Look:
    alone.look(enrol(alone, person).user)
    alone.set(person.user, restart=True, profile="big")
    return Look(person.user)


def repair(alone: Alone, person: Person) -> Look:
    alone.look(enrol(alone, person).user)
    alone.kube.delete(f"api/v1/namespaces/{alone.namespace}/services/jupyterlab-{person.name}")
    return Look(person.user, thoroughly=True)


def stop(alone: Alone, person: Person) -> Look:
    alone.look(enrol(alone, person).user)
    alone.set(person.user, state="stopped")
    return Look(person.user)


def start(alone: Alone, person: Person) -> Look:
    alone.look(stop(alone, person).user)
    until_gone(alone, person)
    alone.set(person.user, state="running")
    return Look(person.user)


def purge(alone: Alone, person: Person) -> Look:
    alone.look(stop(alone, person).user)
    until_gone(alone, person)
    alone.set(person.user, state="deleted", purge=True)
    return Look(person.user)


def remove(alone: Alone, person: Person) -> Look:
    alone.look(enrol(alone, person).user)
    alone.remove(person.user)
    return Look(person.user, email=person.email)


def until_gone(alone: Alone, person: Person) -> None:
    def look() -> bool:
        return len(alone.objects(person)) == 1 and not alone.kube.pods(person.name, alone.namespace)

    until(look, f"nothing is left of {person.name} but the notebooks")


ACTS = [enrol, announce, change_email, restart, repair, stop, start, purge, remove]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("act", ACTS if EVERYTHING else [enrol])
def test_any_call_may_go_wrong_once_in_any_way(
    system: System, alone: Alone, act: Callable[[Alone, Person], Look]
) -> None:
    wrong: list[str] = []
    deliveries = Deliveries(chance(1))
    with instance(system, alone, Faults(0, share=0), deliveries) as functions:
        number = way = 0
        while True:
            mark = uuid4().hex[:8]
            person = Person(f"ada-{mark}", f"{mark}@example.com")
            look = act(alone, person)
            once = functions.wire.faults = Once(0, number=number, way=way, only=None if EVERYTHING else MISLEADING)
            deliveries.add(looked_at(look))
            deliveries.handle_all(functions, MOST_TRIES)
            if once.over:
                break
            wrong += [f"{once.what}: {lie}" for lie in lies_about(alone, person.user)]
            number, way = once.following
    assert wrong == []
    assert number >= 8
