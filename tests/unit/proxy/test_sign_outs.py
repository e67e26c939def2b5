"""Who signs out is signed out at every replica."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kupyterhub_proxy.ended_sign_ins import KEPT, Ended, EndedSignIns
from kupyterhub_proxy.people import People
from kupyterhub_proxy.registry import ConnectedAgent, Registry
from kupyterhub_proxy.sign_outs import SignOuts
from kupyterhub_proxy.visitor import SESSION, Visitor
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"k" * 32
ADA, EVE, ADMIN = "ada@example.org", "eve@example.org", "admin@example.org"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


class Replica:
    """One of the server, with agents of two people; what they are told they keep."""

    def __init__(self, folder: Path, key: bytes = KEY) -> None:
        (folder / "admins").write_text(f"{ADMIN}\n")
        self.admins = folder / "admins"
        self.told: dict[str, list[dict[str, Any]]] = {ADA: [], EVE: []}
        self.changes = 0
        registry = Registry()
        for email, told in self.told.items():
            registry.add(ConnectedAgent(base_name(email), "u", email, email, object(), tell=told.append))
        self.sign_outs = SignOuts(key, registry, People(self.admins), self._changed)

    def _changed(self) -> None:
        self.changes += 1


def signed_in(email: str, number: int = 1, lasts: timedelta = HOUR) -> Visitor:
    return Visitor(email, NOW + lasts, NOW + lasts - SESSION, str(number))


@pytest.fixture
def replicas(tmp_path: Path) -> list[Replica]:
    return [Replica(tmp_path), Replica(tmp_path)]


def test_a_sign_out_comes_to_another_replica_by_the_agents_of_that_person(replicas: list[Replica]) -> None:
    asked, other = replicas
    asked.sign_outs.end(signed_in(ADA))
    (message,) = asked.told[ADA]
    assert message == {"type": "signedOut", "word": message["word"], "until": (NOW + HOUR).isoformat()}
    assert asked.told[EVE] == []

    other.sign_outs.hear(message["word"])

    for replica in replicas:
        assert replica.sign_outs.has(signed_in(ADA))
        assert not replica.sign_outs.has(signed_in(ADA, 2))
        assert not replica.sign_outs.has(signed_in(EVE))
        assert replica.changes == 1


def test_what_is_known_is_not_told_again(replicas: list[Replica]) -> None:
    asked, other = replicas
    asked.sign_outs.end(signed_in(ADA))
    for _ in range(3):
        other.sign_outs.hear(asked.told[ADA][0]["word"])
        asked.sign_outs.end(signed_in(ADA))
    assert (len(asked.told[ADA]), asked.changes) == (1, 1)
    assert (len(other.told[ADA]), other.changes) == (1, 1)


def test_all_agents_are_told_of_an_administrator(replicas: list[Replica]) -> None:
    asked, _ = replicas
    asked.sign_outs.end(signed_in(ADMIN))
    assert asked.told[ADA] == asked.told[EVE] == asked.sign_outs.of_admins() == asked.sign_outs.of(ADMIN)
    assert len(asked.told[ADA]) == 1


def test_an_agent_that_comes_later_is_told_of_its_own_person(replicas: list[Replica]) -> None:
    asked, _ = replicas
    asked.sign_outs.end(signed_in(ADA))
    assert asked.sign_outs.of(ADA) == asked.told[ADA]
    assert asked.sign_outs.of(EVE) == asked.sign_outs.of_admins() == []


def test_a_list_of_administrators_that_is_gone_ends_nobodys_connection(replicas: list[Replica]) -> None:
    asked, _ = replicas
    asked.admins.unlink()
    assert asked.sign_outs.of_admins() == []
    asked.sign_outs.end(signed_in(ADMIN))
    assert asked.sign_outs.has(signed_in(ADMIN))


def test_nobody_makes_a_word_without_the_key(tmp_path: Path, replicas: list[Replica]) -> None:
    forger = Replica(tmp_path, b"x" * 32)
    forger.sign_outs.end(signed_in(ADA))
    victim = replicas[0]
    for word in (forger.told[ADA][0]["word"], "", "e30.x", "é"):
        victim.sign_outs.hear(word)
    assert not victim.sign_outs.has(signed_in(ADA))
    assert victim.changes == 0


def test_a_session_that_is_over_by_itself_is_not_kept(replicas: list[Replica]) -> None:
    asked, _ = replicas
    asked.sign_outs.end(signed_in(ADA, lasts=-HOUR))
    assert asked.told[ADA] == []
    assert not asked.sign_outs.has(signed_in(ADA, lasts=-HOUR))


def test_ended_sign_ins_are_forgotten_with_their_time() -> None:
    ended = EndedSignIns()
    ended.add(Ended(signed_in(ADA), "1"), NOW)
    ended.add(Ended(signed_in(EVE, lasts=3 * HOUR), "2"), NOW + 2 * HOUR)
    assert ended.of(ADA) == ()
    assert not ended.has(signed_in(ADA))
    assert ended.has(signed_in(EVE, lasts=3 * HOUR))


def test_who_signs_out_without_end_takes_a_bounded_place_and_loses_older_sign_ins() -> None:
    ended = EndedSignIns()
    second = timedelta(seconds=1)
    older, between = signed_in(ADA, -1, HOUR - second), signed_in(ADA, -2, HOUR + (10 * KEPT - 1) * second)
    for number in range(10 * KEPT):
        ended.add(Ended(signed_in(ADA, number, HOUR + number * second), str(number)), NOW)
    assert len(ended.of(ADA)) == KEPT
    assert all(ended.has(signed_in(ADA, number, HOUR + number * second)) for number in range(10 * KEPT))
    assert ended.has(older)
    assert not ended.has(between)
    assert not ended.has(signed_in(EVE))
