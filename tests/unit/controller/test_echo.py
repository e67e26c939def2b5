"""A status write raises an event too; that echo asks for nothing, and everything else asks for a look."""

import pytest

from kupyterhub.events import DocumentWrite, Look, look_of_write
from twins import World
from twins.users import REMOVED

Fields = dict[str, bytes]
EMAIL: Fields = {"email": b"ada"}
STATUS: Fields = {"status": b"1"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (EMAIL, EMAIL | STATUS),
        (EMAIL | STATUS, EMAIL | {"status": b"2"}),
        (EMAIL | STATUS, EMAIL | STATUS),
        ({}, STATUS),
    ],
    ids=["first status", "changed status", "nothing changed", "a document without fields"],
)
def test_an_echo_is_dropped(old: Fields, new: Fields) -> None:
    assert look_of_write(DocumentWrite("ada", old=old, new=new)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (EMAIL | STATUS, EMAIL),
        (EMAIL, {"email": b"bob"}),
        (EMAIL | STATUS, {"email": b"bob", "status": b"2"}),
        (EMAIL, EMAIL | {"form": b"1"}),
        (EMAIL | {"restart": b"1"} | STATUS, EMAIL | STATUS),
    ],
    ids=["status taken away", "changed field", "changed with status", "unknown field", "field removed"],
)
def test_what_is_no_echo_asks_for_a_look(old: Fields, new: Fields) -> None:
    assert look_of_write(DocumentWrite("ada", old=old, new=new)) == Look("ada")


@pytest.mark.parametrize(
    "written",
    [{"status": each} for each in (None, REMOVED, {}, "x", 5, [])],
    ids=["null", "removed", "{}", "text", "number", "list"],
)
def test_who_takes_the_status_away_is_looked_at_and_gets_it_back(world: World, written: dict[str, object]) -> None:
    world.ready()
    world.cluster.settle()
    events: list[DocumentWrite] = []
    world.users.on_change.append(events.append)
    world.users.set("ada", **written)

    (look,) = filter(None, map(look_of_write, events))
    world.reconciler.reconcile(look)

    assert look == Look("ada")
    assert world.status().phase == "Ready"
    assert all(look_of_write(event) is None for event in events[1:])


@pytest.mark.parametrize("new", [EMAIL, EMAIL | STATUS], ids=["plain", "imported with a status"])
def test_a_creation_asks_for_a_look(new: Fields) -> None:
    assert look_of_write(DocumentWrite("ada", old=None, new=new)) == Look("ada")


def test_a_deletion_says_whose_email_is_free() -> None:
    write = DocumentWrite("ada", old=EMAIL | STATUS, new=None, old_email="ada@example.com")

    assert look_of_write(write) == Look("ada", email="ada@example.com")
