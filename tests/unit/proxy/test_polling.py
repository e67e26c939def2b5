"""What the server keeps for agents that poll: pending requests, both bodies on their way, and who is there."""

from __future__ import annotations

import asyncio

import pytest

from kupyterhub_proxy.polling import backend as backends
from kupyterhub_proxy.polling import presence as presences
from kupyterhub_proxy.polling.backend import MAX_IDS, MAX_PENDING, Backend
from kupyterhub_proxy.polling.handoff import HELD_BYTES, Handoff
from kupyterhub_proxy.polling.presence import Presence
from kupyterhub_tunnel.errors import ConnectionLost, StreamReset, TooManyStreams
from kupyterhub_tunnel.heads import AnswerHead, RequestHead

GET = RequestHead("GET", "/lab", (("Accept", "*/*"),), "10.0.0.1", name="ada")
PUT = RequestHead("PUT", "/lab", (), "10.0.0.1", has_body=True, name="ada")
OK = AnswerHead(200, "OK", ())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(backends, "AGAIN_SECONDS", 0.02)
    monkeypatch.setattr(presences, "GRACE_SECONDS", 0.02)


@pytest.fixture
async def backend() -> Backend:
    return Backend("https://ada.example.org")


async def waits(task: asyncio.Task[object]) -> bool:
    await asyncio.sleep(0.01)
    return not task.done()


async def test_a_poll_waits_for_a_request(backend: Backend) -> None:
    poll = asyncio.create_task(backend.poll())
    assert await waits(poll)
    await backend.open(GET)
    (request_id,) = await poll
    request = backend.find(request_id)
    assert request is not None
    assert request.asked.target == "/lab"


async def test_a_poll_without_news_ends_with_none(quick: None, backend: Backend) -> None:
    assert await backend.poll() == []


async def test_an_id_is_given_once_and_again_when_it_was_not_fetched(quick: None, backend: Backend) -> None:
    await backend.open(GET)
    first = await backend.poll()
    assert await backend.poll() == first
    request = backend.find(first[0])
    assert request is not None
    assert request.fetch()
    assert await backend.poll() == []


async def test_two_polls_share_what_is_pending(backend: Backend) -> None:
    polls = [asyncio.create_task(backend.poll()) for _ in range(2)]
    await backend.open(GET)
    await asyncio.sleep(0.01)
    await backend.open(GET)
    ids = [request_id for poll in polls for request_id in await poll]
    assert len(set(ids)) == 2


async def test_at_most_a_hundred_ids_are_given_at_a_time(backend: Backend) -> None:
    for _ in range(MAX_IDS + 1):
        await backend.open(GET)
    assert [len(await backend.poll()) for _ in range(2)] == [MAX_IDS, 1]


async def test_ids_cannot_be_guessed(backend: Backend) -> None:
    await backend.open(GET)
    await backend.open(GET)
    ids = await backend.poll()
    assert len(set(ids)) == 2
    assert all(len(request_id) >= 32 for request_id in ids)


async def test_pending_requests_are_limited_and_make_room_when_released(backend: Backend) -> None:
    channels = [await backend.open(GET) for _ in range(MAX_PENDING)]
    with pytest.raises(TooManyStreams):
        await backend.open(GET)
    await channels[0].release()
    await backend.open(GET)


async def test_a_request_that_the_browser_gave_up_is_nobodys(backend: Backend) -> None:
    channel = await backend.open(GET)
    (request_id,) = await backend.poll()
    await channel.release()
    assert backend.find(request_id) is None


async def test_a_notebook_is_told_where_the_browser_was(backend: Backend) -> None:
    await backend.open(GET)
    request = backend.find((await backend.poll())[0])
    assert request is not None
    assert dict(request.asked.headers) == {
        "Accept": "*/*",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Host": "ada.example.org",
        "X-Forwarded-Proto": "https",
    }


async def test_an_answer_comes_through_its_channel(backend: Backend) -> None:
    channel = await backend.open(GET)
    request = backend.find((await backend.poll())[0])
    assert request is not None
    assert request.take_answer()
    request.begin_answer(OK)
    await request.download.write(b"hello")
    request.download.end()
    assert await channel.head() == OK
    assert [chunk async for chunk in channel.chunks()] == [b"hello"]


async def test_only_the_first_answer_counts(backend: Backend) -> None:
    await backend.open(GET)
    request = backend.find((await backend.poll())[0])
    assert request is not None
    assert request.take_answer()
    assert not request.take_answer()


async def test_a_request_with_a_body_is_fetched_once_and_one_without_again(backend: Backend) -> None:
    await backend.open(GET)
    await backend.open(PUT)
    get, put = map(backend.find, await backend.poll())
    assert get is not None
    assert put is not None
    assert [get.fetch(), get.fetch()] == [True, True]
    assert [put.fetch(), put.fetch()] == [True, False]


async def test_when_no_agent_is_left_what_has_no_answer_fails(backend: Backend) -> None:
    waiting, answered = await backend.open(GET), await backend.open(GET)
    request = backend.find((await backend.poll())[1])
    assert request is not None
    request.begin_answer(OK)
    backend.fail("its agent polls no more")
    with pytest.raises(ConnectionLost):
        await waiting.head()
    assert await answered.head() == OK


async def test_an_agent_that_stops_taking_an_upload_after_its_answer_has_not_failed(backend: Backend) -> None:
    channel = await backend.open(PUT)
    request = backend.find((await backend.poll())[0])
    assert request is not None
    request.begin_answer(OK)
    request.stop_upload(ConnectionLost("gone"))
    with pytest.raises(ConnectionLost):
        await channel.write(b"more")
    request.download.end()
    assert await channel.read() == b""


async def test_an_agent_that_breaks_off_before_its_answer_has_failed(backend: Backend) -> None:
    channel = await backend.open(PUT)
    request = backend.find((await backend.poll())[0])
    assert request is not None
    request.stop_upload(ConnectionLost("gone"))
    with pytest.raises(ConnectionLost):
        await channel.head()


async def test_a_writer_waits_for_a_slow_reader() -> None:
    handoff = Handoff()
    await handoff.write(b"x" * HELD_BYTES)
    writing = asyncio.create_task(handoff.write(b"y"))
    assert await waits(writing)
    assert await handoff.read() == b"x" * HELD_BYTES
    await writing
    assert await handoff.read() == b"y"


async def test_a_reader_waits_for_bytes_or_the_end() -> None:
    handoff = Handoff()
    reading = asyncio.create_task(handoff.read())
    assert await waits(reading)
    await handoff.write(b"x")
    handoff.end()
    assert await reading == b"x"
    assert await handoff.read() == b""


async def test_a_failure_wakes_who_waits() -> None:
    full, empty = Handoff(), Handoff()
    await full.write(b"x" * HELD_BYTES)
    tasks = [asyncio.create_task(full.write(b"y")), asyncio.create_task(empty.read())]
    await asyncio.sleep(0.01)
    for handoff in (full, empty):
        handoff.fail(StreamReset("gone"))
    assert [type(result) for result in await asyncio.gather(*tasks, return_exceptions=True)] == [StreamReset] * 2


async def test_an_agent_is_there_from_its_first_poll_until_it_has_not_polled_for_a_while(quick: None) -> None:
    seen: list[str] = []
    gone = asyncio.Event()
    presence = Presence(lambda: seen.append("come"), gone.set)
    for _ in range(2):
        with presence.polling(), presence.polling():
            await asyncio.sleep(0.03)
    assert seen == ["come"]
    assert not gone.is_set()
    await asyncio.wait_for(gone.wait(), 5)


async def test_a_presence_that_is_stopped_tells_nothing_more(quick: None) -> None:
    seen: list[str] = []
    presence = Presence(lambda: seen.append("come"), lambda: seen.append("go"))
    with presence.polling():
        pass
    presence.stop()
    await asyncio.sleep(0.03)
    assert seen == ["come"]
