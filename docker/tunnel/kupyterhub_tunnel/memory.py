"""Memory: how many requests fit in it, and how the C library keeps it."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import resource
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT_BYTES = 8 * 1024 * 1024
_LARGE_BYTES = 2 * 1024 * 1024
"""What is larger than any piece is given back at once."""
_SECONDS, _LONGEST_SECONDS = 30.0, 300.0

# malloc.h of glibc
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


_LIMIT_FILE = Path("/sys/fs/cgroup/memory.max")
_STATM = Path("/proc/self/statm")
_BASE_BYTES = 96 * 1024 * 1024
_REQUEST_BYTES = 160 * 1024
"""What a process takes that carries nothing, and what each request adds at its worst: `make bench memory`."""
_FEWEST, _MOST = 512, 10_000


def requests_at_once(limit_file: Path = _LIMIT_FILE) -> int:
    """Give how many requests a process may carry so that it stays under half of what its container may take."""
    try:
        limit = int(limit_file.read_text())
    except (OSError, ValueError):
        return _MOST  # there is none, or cgroups of version 1
    return max(_FEWEST, min(_MOST, (limit // 2 - _BASE_BYTES) // _REQUEST_BYTES))


@contextmanager
def keeping_freed_memory() -> Iterator[None]:
    """Keep a few MiB at hand, meanwhile: a large body then costs a quarter less. Call it where the event loop runs.

    What many have freed lies between what others hold, and what was broken off refers to itself: so it is looked
    for, the less often the less there was. Nothing of this where the C library is not glibc.
    """
    library = ctypes.CDLL(None)
    if getattr(library, "mallopt", None) is None or getattr(library, "malloc_trim", None) is None:
        yield
        return
    library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
    library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
    gc.freeze()  # what was imported stays
    giving_back = asyncio.create_task(_giving_back(library))
    try:
        yield
    finally:
        giving_back.cancel()


async def _giving_back(library: ctypes.CDLL) -> None:
    seconds = _SECONDS
    while True:
        await asyncio.sleep(seconds)
        before = _resident()
        gc.collect()
        library.malloc_trim(_KEPT_BYTES)
        seconds = _SECONDS if _resident() < before - _KEPT_BYTES else min(2 * seconds, _LONGEST_SECONDS)


def _resident() -> int:
    return int(_STATM.read_text().split()[1]) * resource.getpagesize()
