"""Any field of a document may hold null, "" or another type: each is judged once, and passes no rule by."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud.firestore import GeoPoint

from kupyterhub.domain.wishes import Wishes
from twins import World
from twins.users import REMOVED
from twins.world import ADA

EVIL = "evil.example/miner:1"
TYPES = {
    "email": str,
    "state": str,
    "profile": str,
    "image": str,
    "displayName": str,
    "expiresAt": datetime,
    "restart": bool,
    "purge": bool,
}
VALUES: dict[str, Any] = {
    "null": None,
    "empty": "",
    "text": "\ud7ff é",
    "true": True,
    "false": False,
    "zero": 0,
    "a number": 7,
    "not a number": float("nan"),
    "a list": ["running"],
    "an empty list": [],
    "a map": {"a": None},
    "an empty map": {},
    "bytes": b"running",
    "a time": datetime(2031, 1, 1, tzinfo=UTC),
    "a place": GeoPoint(1, 2),
}
OTHERS: list[dict[str, Any]] = [
    {},
    {"image": EVIL},
    {"profile": None, "image": EVIL},
    {"profile": "big", "image": EVIL},
    {"profile": ""},
    {"state": "stopped"},
    {"state": "deleted", "purge": None},
    {"displayName": None, "expiresAt": None, "restart": None},
]
every_field = pytest.mark.parametrize("field", TYPES)
every_value = pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)


def images(world: World) -> set[str]:
    """What runs or would run."""
    specs = [world.cluster.get("Deployment", name)["spec"]["template"]["spec"] for name in names(world)]
    return {container["image"] for spec in specs for container in spec["containers"]}


def names(world: World) -> list[str]:
    return world.cluster.names("Deployment")


@every_field
@every_value
@pytest.mark.parametrize("runs", [False, True], ids=["new", "running"])
def test_any_value_of_any_field_is_judged_and_passes_no_rule(field: str, value: Any, *, runs: bool) -> None:
    for other in OTHERS:
        world = World()
        if runs:
            world.ready()
        fields = {**other, field: value}
        world.users.set("ada", **{"email": ADA, **fields})

        world.look()
        world.cluster.settle()

        status, wishes = world.status(), Wishes.of(world.users.peek("ada").fields)
        assert EVIL not in images(world), fields
        assert status.phase, fields
        assert len(status.message or "") < 600
        if wishes.state in ("stopped", "deleted"):
            assert (status.phase, world.objects()) == (wishes.state.capitalize(), set()), fields
        elif wishes.image == EVIL or wishes.wrong or wishes.profile == "":
            assert status.phase == "Rejected", fields
        if status.phase == "Rejected":
            assert world.objects() == set() or runs
            assert any(f"{name}:" in (status.message or "") for name in fields if name in TYPES)
        for _ in range(2):
            world.look()
            world.cluster.settle()
        assert world.look().note == "unchanged", fields
        world.resync.run("all")
        assert world.bus.messages == [], fields


@every_field
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_null_is_absent(field: str, other: dict[str, Any]) -> None:
    ends = []
    for value in (None, REMOVED):
        world = World()
        world.users.set("ada", **{"email": ADA, **other, field: value})
        world.look()
        ends.append((world.status(), world.cluster.everything(), images(world)))

    assert ends[0] == ends[1]


@every_field
@every_value
def test_a_value_of_another_type_is_said_in_words_and_is_absent_elsewhere(field: str, value: Any) -> None:
    wishes = Wishes.of({field: value})

    wrong = value is not None and not isinstance(value, TYPES[field])
    assert [sentence.partition(":")[0] for sentence in wishes.wrong] == ([field] if wrong else [])
    if wrong:
        assert Wishes.of({}) == Wishes(**{**vars(wishes), "wrong": ()})
