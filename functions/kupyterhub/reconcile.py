"""`reconcile(look)`: gather → decide → apply → record. Level-triggered and idempotent, and the only code path.

Provision, change, stop, start, delete and repair are all this: read the document as it is now, make the cluster
equal to what it asks for, write the status. What an event said is only a hint about where to look as well.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from kupyterhub.belongings import Belongings, Memory
from kupyterhub.disks import Disks
from kupyterhub.domain import live as facts
from kupyterhub.domain.announcements import Announcement, ignored, is_news, says_idle
from kupyterhub.domain.claims import Claim
from kupyterhub.domain.differs import stopped_by_settings
from kupyterhub.domain.errors import ClusterRefused, DocumentChanged, DocumentRefused, ObjectChanged, TransientError
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.lifetimes import Lifetime
from kupyterhub.domain.phases import Seen, next_status
from kupyterhub.domain.policy import Ended, Stopped, Verdict, Wanted, duplicate, judge, none_may_run, profile_of
from kupyterhub.domain.refusals import Trouble
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import Status, UserDocument
from kupyterhub.events import Look
from kupyterhub.holding import Names
from kupyterhub.objects import PURGED, Objects
from kupyterhub.ports import Bus, Clock, Cluster, Record, Storage, Users
from kupyterhub.reporting.under_way import about
from kupyterhub.storage import Purge, Purger
from kupyterhub_rules.names import base_name

ATTEMPTS = 5


@dataclass(frozen=True)
class Outcome:
    """How a look ended, for the log."""

    user: str
    phase: str | None
    note: str
    before: str | None = None
    """The phase before the look."""
    reason: str | None = None


@dataclass(frozen=True)
class Reconciler:
    """Brings one user at a time to what the document says."""

    users: Users
    cluster: Cluster
    bus: Bus
    settings: Settings
    master_secret: bytes = field(repr=False)
    clock: Clock
    folders: Storage | None = None
    """In the bucket, where the settings name one."""

    @cached_property
    def storages(self) -> dict[str, Storage]:
        """What keeps people's notebooks, by `storage.kind`."""
        kinds: dict[str, Storage] = {"disk": Disks(self.cluster)}
        if self.folders:
            kinds["gcs"] = self.folders
        return kinds

    @cached_property
    def purger(self) -> Purger:
        """What removes people's notebooks."""
        return Purger(self.users, self.cluster, self.storages.values())

    @cached_property
    def installation(self) -> Installation:
        """What every user's objects are computed from."""
        return Installation(self.settings, self.master_secret, self.bus.agent_events())

    @cached_property
    def names(self) -> Names:
        """Who holds which name."""
        return Names(self.users, self.bus)

    @cached_property
    def objects(self) -> Objects:
        """What is in the cluster for somebody."""
        return Objects(self.cluster, self.storages, self.installation)

    @cached_property
    def belongings(self) -> Belongings:
        """What is there of documents, under whatever name."""
        return Belongings(self.users, self.cluster, self.names, self.objects)

    def reconcile(self, look: Look) -> Outcome:
        """Look at one user until document and cluster hold still; raises TransientError for another delivery."""
        about(look.user)
        memory = Memory(look.thoroughly, lists=look.thoroughly)
        for _ in range(ATTEMPTS):
            try:
                return self._look(look, memory)
            except (DocumentChanged, ObjectChanged):
                # Whatever changed may be what the event's hint was about: read everything anew, and rely on nothing.
                memory.thoroughly = True
            except DocumentRefused as e:
                return self._without_status(look, e)
        raise TransientError(
            f"users/{look.user} changed {ATTEMPTS} times while it was looked at; it is looked at again"
        )

    def _look(self, look: Look, memory: Memory) -> Outcome:
        # 1. The document as it is now, whatever the event said.
        first = self.users.get(look.user)
        if first is None:
            removed = self.belongings.remove_all(look, memory, self.clock())
            return Outcome(look.user, None, f"no document; {removed} objects removed")
        # A document of this id was deleted, and this is another one.
        memory.lists |= look.email is not None
        now, phase = self.clock(), first.status.phase
        # Something is wrong; it may be what others took away.
        memory.thoroughly |= phase == "Failed"
        # 2. An announcement that says nothing new ends here.
        if look.announcement and (why := _no_news(look.announcement, first, self.settings, now)):
            return Outcome(look.user, phase, why, phase)
        document, verdict, held_back = first, judge(first, self.settings, now), False
        seen, purge, left = Seen(verdict), Purge(), False
        try:
            document = self.belongings.remembered(first, memory, now)
            # 3. What it asks for, by the settings, without I/O.
            verdict = judge(document, self.settings, now)
            if held_back := self._is_held_back(document, verdict):
                verdict = judge(document, self.settings, now, whoever=True)
            seen = Seen(verdict)
            # 4. Another e-mail is another person.
            left = self.belongings.leave(document, verdict, memory)
            # 5. Nobody acts without holding the name.
            document, seen = self._hold(document, verdict, look, now)
            # 6. A restart is marked once.
            document = self._ask_for_restart(document, seen.verdict, look, now)
            # 7. What runs says what was applied.
            seen = self.objects.read(document, seen.verdict, seen)
            # 8. Idle or too old, by what it was started with.
            document, seen = self._end(document, seen, look, now)
            # 9. What should not be goes, and what should be is made so.
            if none_may_run(seen.verdict):
                seen = self.belongings.remove_own(document, seen, memory, self.installation.hash)
            else:
                seen = self.objects.settle(document, seen.verdict, seen, thoroughly=memory.thoroughly, now=now)
            if isinstance(seen.verdict, Ended):
                purge = self.purger.purge(document, seen.verdict, now)
        except ClusterRefused as e:
            seen = replace(seen, trouble=Trouble(e.reason, str(e), refused=True))
        seen = replace(
            seen,
            purge_pending=purge.pending,
            message=purge.message,
            changed=seen.changed or left,
            held_back=held_back,
        )
        # 10. The status, and when to look next, into the version that was acted on.
        return self._record(purge.document or document, first, seen, purge, look, now)

    def _is_held_back(self, document: UserDocument, verdict: Verdict) -> bool:
        """Whether new settings alone would stop somebody, and nobody has said yet how many they stop."""
        if not stopped_by_settings(document, verdict, self.installation.hash):
            return False
        approval = self.users.approval()
        return approval is None or approval.settings != self.installation.hash or not approval.given

    def _hold(self, document: UserDocument, verdict: Verdict, look: Look, now: datetime) -> tuple[UserDocument, Seen]:
        """Take the name of the e-mail, or learn who has it: nobody acts without holding it."""
        seen = Seen(verdict, announcement=look.announcement)
        if verdict.email is None:
            return document, seen
        before = _of_same_person(document, verdict.email)
        status, phase = before.status, before.status.phase
        if isinstance(verdict, Wanted) and (phase == "Deleted" or (phase is None and status.name is None)):
            # The intention, written with the claim: a start then costs one write less.
            status = replace(next_status(before, seen, self.installation, now), updatedAt=now)
        status, history = status.after(document.status, look.event)
        moves = document.status.email not in (None, verdict.email)
        former = self.names.release(document, now) if moves else None
        hold = self.names.hold(document, verdict.email, Record(status, history, release=former), now)
        if hold.other is None and not hold.purged:
            return hold.document, replace(seen, fresh=hold.fresh)
        found_by = replace(before.status, email=verdict.email, name=base_name(verdict.email))
        document = before.with_status(found_by)
        # A stopped one asks again when it starts; until then its status says Stopped, whoever holds the e-mail.
        if isinstance(verdict, Stopped):
            return document, Seen(Stopped(None))
        if hold.other:
            return document, Seen(duplicate(verdict.email, hold.other), held_by=hold.other)
        return document, replace(seen, trouble=PURGED)

    def _ask_for_restart(self, document: UserDocument, verdict: Verdict, look: Look, now: datetime) -> UserDocument:
        if not (isinstance(verdict, Wanted) and document.wishes.restart):
            return document
        # Two clocks: what is asked for together with the e-mail is not asked for before it.
        mark = max(now, document.status.emailSince or now)
        return self._write(document, replace(document.status, restartedAt=mark), look, restart=None)

    def _end(self, document: UserDocument, seen: Seen, look: Look, now: datetime) -> tuple[UserDocument, Seen]:
        """Stop a notebook that nobody uses, or that is too old, by what it was started with."""
        if seen.live is None:
            return document, seen
        lifetime = Lifetime.of_live(seen.live, profile_of(document, self.settings))
        end, started = lifetime.ends_at(seen.live), facts.started_at(seen.live)
        if look.announcement and says_idle(look.announcement, document, started, lifetime.idle_timeout, now):
            reason = "Idle"
        elif end is not None and end <= now:
            reason = "MaxAge"
        else:
            return document, seen
        document = self._write(document, replace(document.status, reason=reason), look, state="stopped")
        return document, Seen(judge(document, self.settings, now))

    def _record(  # noqa: PLR0913, PLR0917 - all that was found out
        self, document: UserDocument, first: UserDocument, seen: Seen, purge: Purge, look: Look, now: datetime
    ) -> Outcome:
        """Write the status if it is another one, and only into the document that was acted on."""
        status = next_status(document, seen, self.installation, now)
        stored = first.status if document.update_time == first.update_time else document.status
        reason = "PolicyHeld" if seen.held_back else status.reason
        outcome = Outcome(document.id, status.phase, "unchanged", first.status.phase, reason)
        lets_go = stored.emailSince is not None and status.emailSince is None
        release = self.names.release(document.with_status(stored), now) if lets_go else None
        if purge.claim:
            self.names.tell([], waiting=status.email, but=document.id)
            release = purge.claim
        if status != stored or purge.done:
            cleared = {"purge": None} if purge.done else {}
            self._write(document, replace(status, updatedAt=now), look, release, **cleared)
            if status.reason == "DuplicateEmail" and not self.names.is_held(status.name or "", seen.held_by or ""):
                # Who let go of it meanwhile told those who wait, and did not know of this one.
                raise DocumentChanged(document.id)
            outcome = replace(outcome, note="status written")
        elif seen.changed:
            current = self.users.get(document.id)
            if current is None or current.update_time != document.update_time:
                raise DocumentChanged(document.id)
            outcome = replace(outcome, note="repaired")
        if status.phase != first.status.phase and (about := seen.live or seen.made or seen.ended):
            self.cluster.tell(about, reason=status.phase or "", message=status.message or status.proxyUrl or "")
        return outcome

    def _without_status(self, look: Look, refused: DocumentRefused) -> Outcome:
        """Say in as few words as there are that the status cannot be written: that, too, may be refused."""
        outcome = Outcome(look.user, None, f"there is no status: {refused}", reason="DocumentRefused")
        if document := self.users.get(look.user):
            few = Status(
                phase="Failed",
                reason="DocumentRefused",
                message="Firestore does not take this document's status. Make the document smaller.",
                name=document.status.name,
                email=document.status.email,
                emailSince=document.status.emailSince,
                observed=document.observed,
                settings=self.installation.hash,
            )
            with suppress(DocumentRefused, DocumentChanged):
                self.users.write(document, Record(few))
        return outcome

    def _write(
        self, document: UserDocument, status: Status, look: Look, release: Claim | None = None, **fields: Any
    ) -> UserDocument:
        status, history = status.after(document.status, look.event)
        return self.users.write(document, Record(status, history, tuple(fields.items()), release))


def _no_news(announcement: Announcement, document: UserDocument, settings: Settings, now: datetime) -> str | None:
    if reason := ignored(announcement, document, settings, now):
        return f"announcement ignored: {reason}"
    return None if is_news(announcement, document, now) else "announcement already known"


def _of_same_person(document: UserDocument, email: str) -> UserDocument:
    """The document without what its status says of somebody with another e-mail: that is another person."""
    if document.status.email in (None, email):
        return document
    status = replace(document.status, proxyUrl=None, agent=None, startedAt=None, lastActivity=None, emailSince=None)
    return document.with_status(status)
