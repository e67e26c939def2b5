"""Tokens for the service."""

import asyncio

from kupyterhub_agent.hosted.credentials import MARGIN_SECONDS, Credentials
from kupyterhub_agent.hosted.metadata import Token


class Source:
    """Numbers its tokens, which are good for an hour."""

    def __init__(self) -> None:
        self.now = 0.0
        self.given: list[str] = []

    async def vm_token(self, audience: str) -> Token:
        return await self._token(f"vm {audience}")

    async def access_token(self) -> Token:
        return await self._token("access")

    async def _token(self, kind: str) -> Token:
        await asyncio.sleep(0)
        self.given.append(kind)
        return Token(f"{kind} {len(self.given)}", self.now + 3600)


async def test_each_audience_has_a_token_of_its_own() -> None:
    source = Source()
    credentials = Credentials(source, lambda: source.now)
    assert await credentials.headers("a") == {"Authorization": "Bearer access 1", "X-Inverting-Proxy-VM-ID": "vm a 2"}
    assert await credentials.headers("b") == {"Authorization": "Bearer access 1", "X-Inverting-Proxy-VM-ID": "vm b 3"}


async def test_many_who_ask_at_once_share_an_answer() -> None:
    source = Source()
    credentials = Credentials(source, lambda: source.now)
    await asyncio.gather(*(credentials.headers("a") for _ in range(100)))
    assert source.given == ["access", "vm a"]


async def test_a_token_is_got_anew_before_it_expires() -> None:
    source = Source()
    credentials = Credentials(source, lambda: source.now)
    first = await credentials.headers("a")
    source.now = 3600 - MARGIN_SECONDS
    assert await credentials.headers("a") == first
    source.now += 1
    renewed = await credentials.headers("a")
    assert renewed.keys() == first.keys()
    assert not set(renewed.values()) & set(first.values())


async def test_what_was_not_taken_is_got_anew() -> None:
    source = Source()
    credentials = Credentials(source, lambda: source.now)
    await credentials.headers("a")
    credentials.forget()
    await credentials.headers("a")
    assert source.given == ["access", "vm a"] * 2
