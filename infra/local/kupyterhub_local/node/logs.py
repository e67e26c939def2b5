"""Containers' logs on disk in the format of kubelets: `<time> <stream> <F or P> <text>`, a line each."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

_LONGEST_LINE = 16 * 1024
_READ = 64 * 1024
# Several of the longest entries, which are what was read at once with the rest of a line before it.
_END = 4 * _READ
_FOLLOW_SECONDS = 0.1


class LogWriter:
    """Writes what one run of a container says on one stream."""

    def __init__(self, path: Path, stream: Literal["stdout", "stderr"]) -> None:
        self._file = path.open("ab", buffering=0)
        self._stream = stream.encode()
        self._rest = b""

    def write(self, chunk: bytes) -> None:
        """Take in the next bytes; whole lines are written at once, an overlong one in parts (tag P)."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        entries = [self._entry(line, b"F") for line in lines]
        while len(self._rest) >= _LONGEST_LINE:
            entries.append(self._entry(self._rest[:_LONGEST_LINE], b"P"))
            self._rest = self._rest[_LONGEST_LINE:]
        self._store(b"".join(entries))

    def close(self) -> None:
        """Write what is left without a line's end, as a part."""
        if self._rest:
            self._store(self._entry(self._rest, b"P"))
        self._file.close()

    async def pump(self, reader: asyncio.StreamReader) -> None:
        """Write all that the reader gives, until its end."""
        try:
            while chunk := await reader.read(_READ):
                self.write(chunk)
        finally:
            self.close()

    def _store(self, entries: bytes) -> None:
        # A full disk costs lines of the log; it must not block what the container says, and so the container.
        with contextlib.suppress(OSError):
            self._file.write(entries)

    def _entry(self, line: bytes, tag: bytes) -> bytes:
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return f"{now}.{nanoseconds:09d}Z ".encode() + b" ".join([self._stream, tag, line]) + b"\n"


@dataclass(frozen=True)
class LogQuery:
    """What `kubectl logs` asks for."""

    tail: int | None = None
    since: datetime | None = None
    timestamps: bool = False
    limit_bytes: int | None = None
    follow: bool = False


async def send_log(
    path: Path, query: LogQuery, is_written: Callable[[], bool], send: Callable[[bytes], Awaitable[None]]
) -> None:
    """Send the lines that are asked for; when following, until `is_written` says that no more comes."""
    left = query.limit_bytes
    with path.open("rb") as file:
        rest = b""
        first = True
        while True:
            more = is_written()
            *lines, rest = (rest + file.read()).split(b"\n")
            output = b"".join(_chosen(lines, query, tail=query.tail if first else None))[:left]
            first = False
            if output:
                await send(output)
            left = None if left is None else left - len(output)
            if left == 0 or not query.follow or not more:
                return
            await asyncio.sleep(_FOLLOW_SECONDS)


def last_words(path: Path, lines: int, longest: int) -> bytes:
    """Return the last lines of a log, and of these at most the last so many bytes. Raises OSError."""
    with path.open("rb") as file:
        skipped = max(0, path.stat().st_size - _END)
        file.seek(skipped)
        entries = file.read().split(b"\n")[:-1]
    if skipped:
        del entries[0]  # it may have been cut
    return b"".join(_chosen(entries, LogQuery(), lines))[-longest:]


def _chosen(entries: list[bytes], query: LogQuery, tail: int | None) -> Iterator[bytes]:
    if query.since is not None:
        # RFC 3339 in UTC with a fixed width sorts as text.
        since = query.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").encode()
        entries = [entry for entry in entries if entry >= since]
    if tail is not None:
        entries = entries[-tail:] if tail else []
    for entry in entries:
        moment, _stream, tag, text = entry.split(b" ", 3)
        yield (moment + b" " if query.timestamps else b"") + text + (b"\n" if tag == b"F" else b"")
