"""How the C library keeps memory: what held a piece of a body is kept for the next one, and given back later."""

from __future__ import annotations

import asyncio
import ctypes
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT_BYTES = 8 * 1024 * 1024
_LARGE_BYTES = 2 * 1024 * 1024
"""What is larger than any piece is given back at once."""
_SECONDS = 30.0

# malloc.h of glibc
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Keep a few MiB at hand, meanwhile: a large body then costs a quarter less. Call it where the event loop runs.

    What many have freed lies between what others hold, so it is looked for now and then. Nothing of this where the
    C library is not glibc.
    """
    library = ctypes.CDLL(None)
    if getattr(library, "mallopt", None) is None or getattr(library, "malloc_trim", None) is None:
        yield
        return
    library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    loop, timer = asyncio.get_running_loop(), None

    def give_back() -> None:
        nonlocal timer
        library.malloc_trim(_KEPT_BYTES)
        timer = loop.call_later(_SECONDS, give_back)

    timer = loop.call_later(_SECONDS, give_back)
    try:
        yield
    finally:
        timer.cancel()
