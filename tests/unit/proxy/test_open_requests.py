"""What is open is judged again."""

import asyncio
from datetime import UTC, datetime

from kupyterhub_proxy.open_requests import OpenRequests
from kupyterhub_proxy.visitor import Visitor

ADA, EVE = (
    Visitor(email, datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), "1")
    for email in ("ada@e.org", "eve@e.org")
)
NAME = "ada-0123456789abcdef"


class Transport:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


class Request:
    def __init__(self) -> None:
        self.transport: Transport | None = Transport()

    @property
    def aborted(self) -> bool:
        return self.transport is not None and self.transport.aborted


async def test_who_may_no_longer_pass_loses_what_is_open_and_nobody_else_does() -> None:
    asked: list[tuple[Visitor, str]] = []

    def may_pass(visitor: Visitor, name: str) -> bool:
        asked.append((visitor, name))
        return visitor is ADA

    requests, (first, second, third) = OpenRequests(may_pass, 60), (Request(), Request(), Request())
    with requests.holding(first, ADA, NAME), requests.holding(second, EVE, NAME), requests.holding(third, EVE, NAME):
        requests.judge()
    assert (first.aborted, second.aborted, third.aborted) == (False, True, True)
    assert len(asked) == 2  # each person once, however much they have open


async def test_what_has_ended_is_judged_no_more() -> None:
    requests, request = OpenRequests(lambda *_: False, 60), Request()
    with requests.holding(request, EVE, NAME):
        pass
    requests.judge()
    assert not request.aborted


async def test_it_is_judged_again_and_again_while_something_is_open() -> None:
    allowed = True
    requests, request = OpenRequests(lambda *_: allowed, 0.01), Request()
    with requests.holding(request, ADA, NAME):
        await asyncio.sleep(0.05)
        assert not request.aborted
        allowed = False
        await asyncio.sleep(0.05)
        assert request.aborted
    await asyncio.sleep(0.05)
    assert requests._timer is None
    later = Request()
    with requests.holding(later, ADA, NAME):
        await asyncio.sleep(0.05)
        assert later.aborted


async def test_what_changes_in_one_moment_is_judged_within_another_and_once() -> None:
    asked: list[str] = []

    def may_pass(_: Visitor, name: str) -> bool:
        asked.append(name)
        return False

    requests, request = OpenRequests(may_pass, 60), Request()
    with requests.holding(request, EVE, NAME):
        for _ in range(100):
            requests.judge_soon()
        assert not request.aborted
        await asyncio.sleep(0.2)
        assert request.aborted
        assert asked == [NAME]


async def test_a_connection_that_has_gone_by_itself_is_nobodys_trouble() -> None:
    requests, request = OpenRequests(lambda *_: False, 60), Request()
    request.transport = None
    with requests.holding(request, EVE, NAME):
        requests.judge()
