"""Components are made once per version and machine and kept in the user's cache folder.

A folder there is complete or absent: it is made beside its place and renamed. Two runs that want the same one
take turns by a lock on a file, which the system lets go when its holder dies.
"""

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

LOCK_POLL_SECONDS = 0.2


def user_cache() -> Path:
    """`kupyterhub` in the folder that the XDG base directory specification names."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kupyterhub"


async def cached(folder: Path, make: Callable[[Path], Awaitable[None]]) -> Path:
    """Return `folder`; where it is absent, `make` fills an empty folder that then takes its place."""
    if _is_there(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    async with _turn(folder.with_name(f".{folder.name}.lock")):
        if _is_there(folder):  # made by another run while this one waited
            return folder
        unfinished = folder.with_name(f".{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        try:
            await make(unfinished)
            unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _is_there(folder: Path) -> bool:
    return folder.is_dir()


@asynccontextmanager
async def _turn(lock: Path) -> AsyncIterator[None]:
    with lock.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(LOCK_POLL_SECONDS)
        yield
