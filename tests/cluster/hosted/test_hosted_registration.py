"""How an agent comes to be known to Google's hosted service, and stays so. Every proof is checked by the twin."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import TestServer

from cluster.hosted.conftest import Agent, Browser, person, registered, running_agent
from cluster.hosted.google import Google
from cluster.proxy.harness import ADA, EVE, StrictPublisher, eventually
from kupyterhub_agent.hosted.credentials import MARGIN_SECONDS
from kupyterhub_agent.hosted.polling import POLLS
from kupyterhub_agent.person import Person
from kupyterhub_agent.watch import Announcement
from kupyterhub_tunnel.agent_events import PublishFailed


async def test_a_person_gets_a_url_that_is_published(agent: Agent, google: Google) -> None:
    event = await agent.publisher.until("registered", "ada")
    assert google.service.registered == [ADA]
    assert event["proxyUrl"] == f"https://{google.service.hostname(ADA)}/"
    assert (event["user"], event["instance"]) == ("u-ada", "pod-1")
    assert agent.link.ready


async def test_polls_wait_beside_each_other(agent: Agent, google: Google) -> None:
    await eventually(lambda: google.service.polling[ADA] == POLLS)


async def test_many_people_share_one_agent(google: Google, notebook: TestServer, browser: Browser) -> None:
    backend = str(notebook.make_url("/"))
    async with running_agent(google) as agent:
        await agent.serve(person(ADA, backend, "a"), person(EVE, backend, "e"))
        for email, token in ((ADA, "token a"), (EVE, "token e")):
            async with browser.request("GET", "/", email) as answer:
                assert dict((await answer.json())["headers"])["Authorization"] == token
    assert google.vm.asked["/computeMetadata/v1/instance/service-accounts/default/token"] == 1


async def test_it_registers_again_when_it_was_forgotten(agent: Agent, google: Google, browser: Browser) -> None:
    google.service.forget()
    await eventually(lambda: google.service.registered == [ADA, ADA] and google.service.polling[ADA] > 0)
    async with browser.request("GET", "/") as answer:
        assert answer.status == 200
    await asyncio.sleep(0.05)
    assert len(agent.publisher.events) == 1, "the URL is the same"


async def test_a_request_under_way_outlives_that(agent: Agent, google: Google, browser: Browser) -> None:
    async with browser.request("GET", "/forever") as answer:
        await answer.content.readany()
        for _ in range(2):
            google.service.forget()
            await eventually(lambda: google.service.polling[ADA] > 0)
        assert answer.content.at_eof() is False


async def test_another_vm_is_another_url_and_that_is_published(
    agent: Agent, google: Google, browser: Browser
) -> None:
    first = await agent.publisher.until("registered", "ada")
    google.vm.vm_id = "4712"
    await eventually(lambda: len(agent.publisher.events) == 2)
    second = agent.publisher.events[1]
    assert second["proxyUrl"] == f"https://{google.service.hostname(ADA)}/" != first["proxyUrl"]
    assert second["registeredAt"] == first["registeredAt"]
    assert second["sentAt"] > first["sentAt"]
    await eventually(lambda: google.service.polling[ADA] > 0)
    async with browser.request("POST", "/api/contents") as answer:
        assert answer.status == 200, "the origin is the new one"


async def test_a_service_that_fails_is_asked_again(google: Google, ada: Person, browser: Browser) -> None:
    for path in ("/proxy-agent-config.json", "/request-endpoint", "/agent/pending", "/agent/request"):
        google.service.fail(path)
    async with running_agent(google) as agent:
        await agent.link.announce(ada, registered())
        await eventually(lambda: google.service.polling[ADA] > 0)
        async with browser.request("GET", "/") as answer:
            assert answer.status == 200


async def test_a_service_that_forgets_at_once_is_not_asked_without_end(google: Google, ada: Person) -> None:
    async with running_agent(google) as agent:
        await agent.link.announce(ada, registered())
        deadline = asyncio.get_running_loop().time() + 2
        while asyncio.get_running_loop().time() < deadline:
            google.service.forget()
            await asyncio.sleep(0.001)
    assert 2 <= len(google.service.registered) < 10


async def test_a_vm_that_no_proxy_takes_waits_for_one(google: Google, ada: Person) -> None:
    google.service.accepts_vm = False
    async with running_agent(google) as agent:
        await agent.link.announce(ada, registered())
        await eventually(lambda: google.service.requests["/"] > 0)
        assert not agent.link.ready
        google.service.accepts_vm = True
        await eventually(lambda: agent.link.ready)


async def test_tokens_are_renewed_before_they_expire(google: Google, ada: Person, browser: Browser) -> None:
    google.vm.token_seconds = round(MARGIN_SECONDS) + 1
    async with running_agent(google) as agent:
        await agent.serve(ada)
        asked = google.vm.asked.total()
        await asyncio.sleep(1.2)
        async with browser.request("GET", "/") as answer:
            assert answer.status == 200
    identity, access = (
        google.vm.asked[f"/computeMetadata/v1/instance/service-accounts/default/{kind}"]
        for kind in ("identity", "token")
    )
    assert google.vm.asked.total() > asked
    assert identity >= 3, "for the registration, for polls, and anew"
    assert access >= 2


async def test_what_is_no_metadata_server_is_told_nothing(google: Google, ada: Person) -> None:
    google.vm.flavor = {}
    async with running_agent(google) as agent:
        await agent.link.announce(ada, registered())
        await eventually(lambda: google.vm.asked["/computeMetadata/v1/instance/zone"] >= 3)
    assert not google.service.requests


async def test_idle_and_lost_are_published_with_the_url(agent: Agent, ada: Person, google: Google) -> None:
    event = await agent.publisher.until("registered", "ada")
    at = datetime.fromisoformat(event["registeredAt"])
    for kind, used in (("idle", at), ("lost", None)):
        await agent.link.announce(ada, Announcement(kind, at, used))  # type: ignore[arg-type]
        event = await agent.publisher.until(kind, "ada")
        assert event["proxyUrl"] == f"https://{google.service.hostname(ADA)}/"


async def test_an_older_url_is_never_published_after_a_newer_one(google: Google, ada: Person) -> None:
    async with running_agent(google, publisher=Unwilling()) as agent:
        await agent.serve(ada)
        google.vm.vm_id = "4712"
        await eventually(lambda: len(google.service.registered) == 2)
        assert isinstance(agent.publisher, Unwilling)
        agent.publisher.willing = True
        await eventually(lambda: len(agent.publisher.events) == 1)
        assert agent.publisher.events[0]["proxyUrl"] == f"https://{google.service.hostname(ADA)}/"


class Unwilling(StrictPublisher):
    """Takes nothing until it is told to."""

    willing = False

    async def publish(self, fields: dict[str, str]) -> None:
        if not self.willing:
            raise PublishFailed("not now")
        await super().publish(fields)


class Turns:
    """Whose turn it is, said by a test."""

    def __init__(self) -> None:
        self.mine = asyncio.Event()
        self.over = asyncio.Event()
        self.released = 0

    async def acquire(self) -> None:
        await self.mine.wait()

    async def hold(self) -> None:
        await self.over.wait()

    async def release(self) -> None:
        self.mine.clear()
        self.released += 1


async def test_a_replica_whose_turn_it_is_not_serves_nobody_and_is_ready(google: Google, ada: Person) -> None:
    turns = Turns()
    async with running_agent(google, turns) as agent:
        await agent.link.announce(ada, registered())
        await asyncio.sleep(0.1)
        assert agent.link.ready
    assert not google.service.registered


async def test_a_successor_registers_everybody_anew_and_its_word_is_newer(google: Google, ada: Person) -> None:
    turns = Turns()
    async with running_agent(google, turns) as agent:
        early = replace(registered(), registered_at=datetime.now(UTC) - timedelta(hours=1))
        await agent.link.announce(ada, early)
        turns.mine.set()
        event = await agent.publisher.until("registered", "ada")
        assert datetime.fromisoformat(event["registeredAt"]) > early.registered_at + timedelta(minutes=59)
        await eventually(lambda: google.service.polling[ADA] > 0)
        turns.over.set()
        await eventually(lambda: google.service.polling[ADA] == 0)
        await eventually(lambda: turns.released == 1)


@pytest.mark.parametrize("changed", ["backend", "email"])
async def test_a_person_who_changed_is_served_anew(
    agent: Agent, google: Google, ada: Person, browser: Browser, changed: str
) -> None:
    value = ada.backend.with_path("/x").origin() if changed == "backend" else EVE
    other = replace(ada, **{changed: value, "user": "another"})
    await agent.link.announce(other, registered())
    await eventually(lambda: len(google.service.registered) == 2 and google.service.polling[other.email] > 0)
    assert agent.publisher.events[-1]["user"] in {"u-ada", "another"}
