"""When Google is asked for its certificates, and what happens while it does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from cluster.interop.conftest import listening
from kupyterhub_proxy import certificates
from kupyterhub_proxy.certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Google:
    """Publishes one certificate, counts who asks, and fails when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.keys = {"1": "PEM"}
        self.status = 200

    async def serve(self, _: web.BaseRequest) -> web.Response:
        self.asked += 1
        return web.json_response(self.keys, status=self.status)


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture
async def known(google: Google) -> AsyncIterator[Certificates]:
    async with listening(google.serve) as address:
        yield Certificates(f"http://{address}/")


async def test_they_are_asked_for_once(google: Google, known: Certificates) -> None:
    assert [await known.of("1") for _ in range(3)] == [{"1": "PEM"}] * 3
    assert google.asked == 1


async def test_an_invented_key_makes_nobody_ask_again_at_once(google: Google, known: Certificates) -> None:
    for key in ("1", "x", "y"):
        await known.of(key)
    assert google.asked == 1


async def test_a_new_key_is_found(google: Google, known: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    await known.of("1")
    google.keys["2"] = "PEM"
    monkeypatch.setattr(certificates, "_ASK_SECONDS", 0.0)
    assert "2" in await known.of("2")


async def test_old_ones_serve_while_google_does_not_answer(
    google: Google, known: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    await known.of("1")
    google.status = 500
    monkeypatch.setattr(certificates, "_FRESH_SECONDS", 0.0)
    assert await known.of("1") == {"1": "PEM"}
    assert google.asked == 2


async def test_without_any_it_is_an_error_and_asked_again(google: Google, known: Certificates) -> None:
    google.status = 500
    with pytest.raises(aiohttp.ClientError):
        await known.of("1")
    google.status = 200
    assert await known.of("1") == {"1": "PEM"}
