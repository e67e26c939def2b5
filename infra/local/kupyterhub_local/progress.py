"""Tells the person at the terminal what is being done, when it takes long enough for them to wonder."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

Say = Callable[[str], None]
"""Takes one line for the person who watches."""

PATIENCE_SECONDS = 1.0


@asynccontextmanager
async def step(what: str, say: Say) -> AsyncIterator[None]:
    """Say `what` once it has taken a second, and how long it took in the end."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    announcement = loop.call_later(PATIENCE_SECONDS, say, what)
    try:
        yield
    finally:
        announcement.cancel()
    if (took := loop.time() - start) > PATIENCE_SECONDS:
        say(f"{what}: done in {took:.0f} s")
