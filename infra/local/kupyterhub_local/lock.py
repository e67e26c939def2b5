"""One run per checkout at a time. The system lets go of the lock when its holder dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kupyterhub_local.errors import AlreadyRunning


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Hold `file`; raises AlreadyRunning, with the pid of who holds it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRunning(
                f"The local system in {file.parent} runs already, as process {lock.read().strip()}. "
                "Use it, or end it there with Ctrl-C."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
