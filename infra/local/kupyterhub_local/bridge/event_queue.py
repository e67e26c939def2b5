"""The events that no function has answered with 2xx yet, in SQLite. Never waits, never sends.

With a write-ahead log and `synchronous=NORMAL` a commit is one write to the page cache (tens of microseconds,
so it is done on the event loop) and outlives a killed process; only a crash of the machine may lose the last
commits.
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from kupyterhub_local.bridge.event import Event

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS events (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    function TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    received REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_due ON events (due, key);
"""


@dataclass(frozen=True, order=True)
class Entry:
    """A place in the queue. Entries sort in the order of delivery. Times are Unix seconds."""

    due: float
    key: int
    received: float
    attempts: int


class EventQueue:
    """The stored events of one bridge."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, event: Event, now: float) -> None:
        """Keep `event`, due at once. When this has returned, a kill of the process does not lose it."""
        self._database.execute(
            "INSERT INTO events (function, headers, body, received, due) VALUES (?, ?, ?, ?, ?)",
            (event.function, json.dumps(dict(event.headers)), event.body, now, now),
        )

    def due(self, now: float, limit: int, *, retries: bool) -> list[Entry]:
        """Give the first `limit` due entries, oldest first: of those that failed before, or of the others."""
        rows = self._database.execute(
            "SELECT due, key, received, attempts FROM events"
            " WHERE due <= ? AND (attempts > 0) = ? ORDER BY due, key LIMIT ?",
            (now, retries, limit),
        )
        return [Entry(*row) for row in rows]

    def next_due(self, now: float) -> float | None:
        """Give the time at which the next entry falls due that is not due yet."""
        row = self._database.execute("SELECT MIN(due) FROM events WHERE due > ?", (now,)).fetchone()
        return None if row[0] is None else float(row[0])

    def event(self, entry: Entry) -> Event:
        """Read the event of an entry that was not removed."""
        function, headers, body = self._database.execute(
            "SELECT function, headers, body FROM events WHERE key = ?", (entry.key,)
        ).fetchone()
        return Event(function=function, headers=json.loads(headers), body=body)

    def remove(self, entry: Entry) -> None:
        """Forget a delivered event."""
        self._database.execute("DELETE FROM events WHERE key = ?", (entry.key,))

    def postpone(self, entry: Entry, due: float) -> None:
        """Count a failed attempt; the next is at `due`."""
        self._database.execute(
            "UPDATE events SET attempts = ?, due = ? WHERE key = ?", (entry.attempts + 1, due, entry.key)
        )

    def hurry(self, now: float) -> int:
        """Make everything due now: after a start what failed may work again. Give the number of all."""
        self._database.execute("UPDATE events SET due = ? WHERE due > ?", (now, now))
        return len(self)

    def expire(self, now: float, retention: timedelta) -> list[str]:
        """Drop what was received longer than `retention` ago. Give the events' ids."""
        rows = self._database.execute(
            "DELETE FROM events WHERE received <= ? RETURNING headers", (now - retention.total_seconds(),)
        )
        return [json.loads(headers)["ce-id"] for (headers,) in rows.fetchall()]

    def __len__(self) -> int:
        return int(self._database.execute("SELECT COUNT(*) FROM events").fetchone()[0])
