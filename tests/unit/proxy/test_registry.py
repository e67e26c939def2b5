"""Which agent serves whom, and which one speaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from kupyterhub_proxy.announcing import Announcing
from kupyterhub_proxy.hosts import Hosts
from kupyterhub_proxy.registry import ConnectedAgent, Registry
from kupyterhub_rules.names import base_name
from kupyterhub_tunnel.agent_events import AgentEvent

EMAIL = "ada@example.org"
NAME = base_name(EMAIL)
START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class TwinOutbox:
    def __init__(self) -> None:
        self.events: list[AgentEvent] = []

    def put(self, event: AgentEvent) -> None:
        self.events.append(event)


class Scene:
    """Agents of one user; they register in turn, a minute apart."""

    def __init__(self) -> None:
        self.registry = Registry()
        self.outbox = TwinOutbox()
        self.announcing = Announcing(Hosts("https", "example.org"), self.registry, self.outbox)
        self.told: dict[str, list[dict[str, Any]]] = {}

    def agent(self, instance: str, registered: datetime | None = None) -> ConnectedAgent:
        self.told[instance] = []
        agent = ConnectedAgent(NAME, "u-1", EMAIL, instance, None, tell=self.told[instance].append)
        self.announcing.come(agent)
        if registered is not None:
            self.announcing.registered(agent, registered)
        return agent

    @property
    def published(self) -> list[tuple[str, str]]:
        return [(event.type, event.instance) for event in self.outbox.events]


def test_agents_of_a_user_agree_on_the_newest_registration() -> None:
    scene = Scene()
    older, newer = scene.agent("1", START), scene.agent("2", START + MINUTE)
    assert older.registered_at == newer.registered_at == START + MINUTE
    assert scene.told["1"] == [{"type": "newest", "name": NAME, "registeredAt": (START + MINUTE).isoformat()}]
    assert scene.told["2"] == []


def test_an_agent_that_registers_an_older_one_is_told_the_newest() -> None:
    scene = Scene()
    scene.agent("1", START + MINUTE)
    late = scene.agent("2", START)
    assert late.registered_at == START + MINUTE
    assert scene.told["2"] == [{"type": "newest", "name": NAME, "registeredAt": (START + MINUTE).isoformat()}]


def test_every_replica_of_the_server_chooses_the_same_agent_in_whatever_order_they_came() -> None:
    instances = ["a", "b", "c"]
    chosen = []
    for order in (instances, instances[::-1]):
        scene = Scene()
        for number, instance in enumerate(order):
            scene.agent(instance, START + number * MINUTE)
        serving = scene.registry.serving(NAME)
        assert serving is not None
        chosen.append(serving.instance)
    assert chosen[0] == chosen[1]


def test_two_agents_share_the_users() -> None:
    registry = Registry()
    names = [base_name(f"{number}@example.org") for number in range(100)]
    for name in names:
        for instance in ("a", "b"):
            registry.add(ConnectedAgent(name, "u", "e", instance, None, registered_at=START))
    of_a = [name for name in names if registry.serving(name).instance == "a"]
    assert 30 < len(of_a) < 70


def test_one_agent_alone_speaks_for_a_user_and_the_other_takes_over() -> None:
    scene = Scene()
    agents = {agent.instance: agent for agent in (scene.agent("a", START), scene.agent("b", START))}
    speaker = scene.registry.serving(NAME)
    other = next(agent for agent in agents.values() if agent is not speaker)
    scene.outbox.events.clear()
    for agent in agents.values():
        scene.announcing.registered(agent, START)
        scene.announcing.idle(agent, START)
    assert scene.published == [("registered", speaker.instance), ("idle", speaker.instance)]
    scene.announcing.gone(speaker)
    scene.announcing.idle(other, START)
    assert scene.published[2:] == [("idle", other.instance)]
    scene.announcing.gone(other)
    assert scene.published[3:] == [("lost", other.instance)]


def test_an_agent_that_leaves_is_asked_only_when_it_is_alone() -> None:
    scene = Scene()
    agents = [scene.agent("a", START), scene.agent("b", START)]
    leaving = scene.registry.serving(NAME)
    leaving.leaving = True
    staying = scene.registry.serving(NAME)
    assert staying is not leaving
    assert staying in agents
    scene.announcing.gone(staying)
    assert scene.registry.serving(NAME) is leaving


def test_use_that_any_agent_has_seen_is_published() -> None:
    scene = Scene()
    scene.agent("a", START)
    scene.agent("b", START)
    speaker = scene.registry.serving(NAME)
    other = next(iter(scene.registry.others(speaker)))
    scene.announcing.idle(other, START + MINUTE)
    scene.announcing.idle(speaker, START)
    assert scene.outbox.events[-1].last_activity == START + MINUTE


def test_other_agents_hear_of_use_at_once() -> None:
    scene = Scene()
    first, _ = scene.agent("a", START), scene.agent("b", START)
    scene.announcing.used(first, START + MINUTE)
    assert scene.told == {"a": [], "b": [{"type": "used", "name": NAME, "at": (START + MINUTE).isoformat()}]}


def test_a_server_that_stops_says_nothing_of_agents_that_go() -> None:
    scene = Scene()
    agent = scene.agent("a", START)
    scene.outbox.events.clear()
    scene.announcing.stop()
    scene.announcing.gone(agent)
    assert scene.outbox.events == []


def test_an_agent_of_many_users_is_told_once_what_all_agents_are_told() -> None:
    registry = Registry()
    shared, own = object(), object()
    for number in range(3):
        registry.add(ConnectedAgent(base_name(f"{number}@example.org"), "u", "e", "shared", shared))
    registry.add(ConnectedAgent(NAME, "u", EMAIL, "own", own))
    assert [agent.instance for agent in registry.told(None)] == ["shared", "own"]
    assert [agent.instance for agent in registry.told(NAME)] == ["own"]
    assert registry.told("eve-0123456789abcdef") == []
