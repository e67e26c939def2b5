"""One try, from adding two users to purging them. No client of an outside system is known here."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from . import programs
from .ports import Notebooks, SmokeError, Users
from .programs import MARK

FIRST_START = timedelta(minutes=15)
"""A node may have to be made, and a new right in IAM takes minutes."""
REMOVAL = timedelta(minutes=10)


@dataclass(frozen=True)
class Clock:
    """Time, and waiting."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Try:
    """One try."""

    users: Users
    notebooks: Notebooks
    say: Callable[[str], None]
    bucket: str | None = None
    """Where notebooks of profiles with `storage.kind: gcs` are."""
    clock: Clock = field(default_factory=Clock)

    def run(self, emails: Sequence[str]) -> None:
        """Try it; raises SmokeError. The users are purged in every case."""
        people = {document_id(email): email for email in emails}
        with self._throw_away(people):
            statuses = [self._ready(user) for user in people]
            for status in statuses:
                self._write(status)
            for status in statuses:
                self._sees_own_files_alone(status, [other for other in statuses if other is not status])

    @contextmanager
    def _throw_away(self, people: Mapping[str, str]) -> Iterator[None]:
        for user, email in people.items():
            former = self.users.get(user)
            if former is not None and MARK not in former:
                raise SmokeError(f"{email} is a user of the system; name two e-mails that are nobody's")
        # What a try left that was killed.
        self._end([user for user in people if self.users.get(user)])
        try:
            for user, email in people.items():
                self.users.add(user, {"email": email, MARK: True})
                self.say(f"{email}: added")
            yield
        finally:
            self._end([user for user in people if self.users.get(user)])

    def _end(self, users: Sequence[str]) -> None:
        for user in users:
            self.users.purge(user)
        for user in users:
            self._wait(user, lambda fields: _phase(fields) == "Deleted" and "purge" not in fields, REMOVAL, "purged")
            self.users.remove(user)

    def _ready(self, user: str) -> Mapping[str, Any]:
        fields = self._wait(user, lambda fields: _phase(fields) in ("Ready", "Rejected"), FIRST_START, "Ready")
        status: Mapping[str, Any] = fields["status"]
        if status["phase"] != "Ready":
            raise SmokeError(f"{fields['email']}: {status['phase']}: {status.get('message')}")
        return status

    def _write(self, status: Mapping[str, Any]) -> None:
        printed = self.notebooks.run(status, programs.WRITE.format(file=_file(status)))
        if printed != "written":
            raise SmokeError(f"{status['email']} cannot write a file: {printed}")

    def _sees_own_files_alone(self, status: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> None:
        seen = self.notebooks.run(status, programs.LIST.format(mark=MARK)).split()
        if seen != [_file(status)]:
            raise SmokeError(f"{status['email']} should see one file of this test, their own, and sees: {seen}")
        for other in others if self.bucket else ():
            url = f"https://storage.googleapis.com/storage/v1/b/{self.bucket}/o/{quote(_object(other), safe='')}"
            answer = self.notebooks.run(status, programs.ASK_BUCKET.format(url=f"{url}?alt=media"))
            if answer not in ("401", "403", "unreachable"):
                raise SmokeError(f"{status['email']} asked the bucket for {other['email']}'s file and got {answer}")
        self.say(f"{status['email']}: sees their own file alone")

    def _wait(
        self, user: str, reached: Callable[[dict[str, Any]], bool], within: timedelta, what: str
    ) -> dict[str, Any]:
        deadline = self.clock.now() + within.total_seconds()
        while True:
            fields = self.users.get(user) or {}
            if reached(fields):
                self.say(f"{fields['email']}: {what if _phase(fields) == 'Deleted' else _phase(fields)}")
                return fields
            if self.clock.now() >= deadline:
                status = fields.get("status", {})
                minutes = within.total_seconds() / 60
                raise SmokeError(
                    f"{fields.get('email', user)} is not {what} after {minutes:.0f} minutes, "
                    f"but {status.get('phase')}: {status.get('message')}"
                )
            self.clock.sleep(2)


def document_id(email: str) -> str:
    """Give the id that all of this project's programs use for an e-mail (docs/users.md)."""
    return "u-" + hashlib.sha256(email.lower().encode()).hexdigest()[:20]


def _phase(fields: Mapping[str, Any]) -> str | None:
    phase: str | None = fields.get("status", {}).get("phase")
    return phase


def _file(status: Mapping[str, Any]) -> str:
    return f"{MARK}-{status['name']}"


def _object(status: Mapping[str, Any]) -> str:
    return f"{status['name']}/{_file(status)}"
