"""Takes one person's requests off the service, several at a time, and lets the forwarder answer them."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import tenacity

from kupyterhub_agent.hosted.backend import RequestGone
from kupyterhub_agent.hosted.carried import AnswerPipe, CarriedExchange, refuse
from kupyterhub_agent.hosted.errors import HostedError, MetadataUnavailable, ServiceUnavailable
from kupyterhub_tunnel.errors import ProtocolError, TunnelError
from kupyterhub_tunnel.wire import read_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from kupyterhub_agent.exchange import Exchange
    from kupyterhub_agent.hosted.backend import Backend

POLLS = 2
"""Polls in flight: while one brings requests, the other waits for the next."""

MOST_REQUESTS = 256
"""Requests of one person under way; more wait at the service. A shimmed WebSocket is one that waits."""

REMEMBERED_IDS = 1000
"""The service may list a request until it is answered."""

TRIES = 3
"""Times that the service is asked for one request, or given one answer, if it fails."""

EMPTY_PAUSE_SECONDS = 0.1
"""After an empty list, which should take half a minute and may take no time."""

log = logging.getLogger(__name__)

_for_ever = tenacity.AsyncRetrying(
    retry=tenacity.retry_if_exception_type((MetadataUnavailable, ServiceUnavailable)),
    wait=tenacity.wait_random_exponential(multiplier=0.1, max=10),
    before_sleep=lambda state: log.warning("%s", state.outcome and state.outcome.exception()),
)
_few_times = _for_ever.copy(stop=tenacity.stop_after_attempt(TRIES), reraise=True)


class Poller:
    """Serves one person. `serve` answers an exchange; what it carries goes on when the polling ends."""

    def __init__(self, name: str, serve: Callable[[Exchange], Awaitable[None]]) -> None:
        self._name = name
        self._serve = serve
        self._slots = asyncio.Semaphore(MOST_REQUESTS)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._carrying: set[asyncio.Task[None]] = set()
        self._polls: list[asyncio.Task[None]] = []
        self._draining = False

    async def poll(self, backend: Backend, polled: Callable[[], None]) -> None:
        """Poll until the service has forgotten this registration: raises Forgotten. Tells `polled` of each answer."""
        self._polls = [asyncio.create_task(self._poll(backend, polled)) for _ in range(POLLS)]
        try:
            ended, _ = await asyncio.wait(self._polls, return_when=asyncio.FIRST_COMPLETED)
            if self._draining:
                await asyncio.Event().wait()  # until cancelled: nothing more is asked for
            for task in ended:
                task.result()
        finally:
            for task in self._polls:
                task.cancel()
            await asyncio.gather(*self._polls, return_exceptions=True)

    async def drain(self, timeout_seconds: float) -> None:
        """Ask for no more requests, and wait for those under way at most this long."""
        self._draining = True
        for task in self._polls:
            task.cancel()
        if self._carrying:
            await asyncio.wait(self._carrying, timeout=timeout_seconds)

    async def close(self) -> None:
        """Break off what is carried."""
        tasks = list(self._carrying)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self, backend: Backend, polled: Callable[[], None]) -> None:
        while True:
            listed: list[str] = await _for_ever.copy()(backend.pending)
            polled()
            if not listed:
                await asyncio.sleep(EMPTY_PAUSE_SECONDS)
            for request_id in listed:
                if self._is_new(request_id):
                    await self._slots.acquire()
                    task = asyncio.create_task(self._carry(backend, request_id))
                    self._carrying.add(task)
                    task.add_done_callback(self._carried)

    def _carried(self, task: asyncio.Task[None]) -> None:
        self._carrying.discard(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()):
            log.error("a request of %s failed", self._name, exc_info=error)

    def _is_new(self, request_id: str) -> bool:
        if request_id in self._seen:
            return False
        self._seen[request_id] = None
        if len(self._seen) > REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return True

    async def _carry(self, backend: Backend, request_id: str) -> None:
        try:
            async with AsyncExitStack() as stack:

                async def fetch() -> AsyncIterator[bytes]:
                    return await stack.enter_async_context(backend.request(request_id))

                carried: AsyncIterator[bytes] = await _few_times.copy()(fetch)
                await self._answer(backend, request_id, carried)
        except RequestGone as error:
            log.info("a request of %s is gone: %s", self._name, error)
        except HostedError as error:
            log.warning("a request of %s is lost: %s", self._name, error)

    async def _answer(self, backend: Backend, request_id: str, carried: AsyncIterator[bytes]) -> None:
        pipe = AnswerPipe()
        answering = asyncio.create_task(self._fill(pipe, carried))
        try:
            await pipe.begun()
            # The notebook has the request by now: what is tried again is the answer's way back alone.
            retry = tenacity.retry_if_exception(lambda error: isinstance(error, HostedError) and pipe.repeatable)

            async def respond() -> None:
                await backend.respond(request_id, pipe.body())

            await _few_times.copy(retry=retry)(respond)
            await answering
        finally:
            pipe.fail("the service takes no more of it")
            answering.cancel()
            await asyncio.wait({answering})

    async def _fill(self, pipe: AnswerPipe, carried: AsyncIterator[bytes]) -> None:
        try:
            try:
                head, body = await read_request(carried)
            except ProtocolError as error:
                log.warning("refused a request of %s: %s", self._name, error)
                await refuse(pipe)
            else:
                await self._serve(CarriedExchange(replace(head, name=self._name), body, pipe))
        except (TunnelError, aiohttp.ClientError) as error:
            log.info("a request of %s broke off: %s", self._name, error)
        finally:
            pipe.break_off()
