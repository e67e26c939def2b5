"""`reconcile(look)`: gather → decide → apply → record. Level-triggered and idempotent, and the only code path.

Provision, change, stop, start, delete and repair are all this: read the document as it is now, make the cluster
equal to what it asks for, write the status. What an event said is only a hint about where to look as well.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from kupyterhub.disks import Disks
from kupyterhub.domain import labels
from kupyterhub.domain import live as facts
from kupyterhub.domain.announcements import Announcement, ignored, is_news, says_idle
from kupyterhub.domain.desired import desired
from kupyterhub.domain.errors import DocumentChanged, ObjectChanged, StorageRefused, TransientError
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.live import Object
from kupyterhub.domain.names import base_name
from kupyterhub.domain.phases import Seen, is_ready, maximum_age_reached, next_status
from kupyterhub.domain.policy import Ended, Rejected, Verdict, Wanted, judge, none_may_run
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.users import UserDocument
from kupyterhub.emails import Emails
from kupyterhub.events import Look
from kupyterhub.ports import Bus, Clock, Cluster, Storage, Users
from kupyterhub.storage import Purge, Purger

ATTEMPTS = 5


@dataclass(frozen=True)
class Outcome:
    """How a look ended, for the log."""

    user: str
    phase: str | None
    note: str


@dataclass(frozen=True)
class Reconciler:
    """Brings one user at a time to what the document says."""

    users: Users
    cluster: Cluster
    bus: Bus
    settings: Settings
    master_secret: bytes
    clock: Clock
    folders: Storage | None = None
    """In the bucket, where the settings name one."""

    @property
    def storages(self) -> dict[str, Storage]:
        """What keeps people's notebooks, by `storage.kind`."""
        kinds: dict[str, Storage] = {"disk": Disks(self.cluster)}
        if self.folders:
            kinds["gcs"] = self.folders
        return kinds

    @property
    def purger(self) -> Purger:
        """What removes people's notebooks."""
        return Purger(self.users, self.cluster, self.storages.values())

    @property
    def installation(self) -> Installation:
        """What every user's objects are computed from."""
        return Installation(self.settings, self.master_secret, self.bus.agent_events())

    @property
    def emails(self) -> Emails:
        """Who holds which e-mail."""
        return Emails(self.users, self.bus)

    def reconcile(self, look: Look) -> Outcome:
        """Look at one user until document and cluster hold still; raises TransientError for another delivery."""
        for _ in range(ATTEMPTS):
            try:
                return self._look(look)
            except (DocumentChanged, ObjectChanged):
                # Whatever changed may be what the event's hint was about: read everything anew.
                continue
        raise TransientError(
            f"users/{look.user} changed {ATTEMPTS} times while it was looked at; it is looked at again"
        )

    def _look(self, look: Look) -> Outcome:
        document = self.users.get(look.user)
        if document is None:
            return self._gone(look)
        now = self.clock()
        if look.announcement and (why := self._no_news(look.announcement, document, now)):
            return Outcome(look.user, document.status.phase, why)
        verdict = judge(document, self.settings, now)
        listed = self._listed(document, verdict, look)
        released = _released(document, verdict)
        document, verdict = self._settle_email(document, verdict, listed, now)
        if isinstance(verdict, Wanted) and document.fields.get("restart") is True:
            document = self.users.write(document, replace(document.status, restartedAt=now), restart=None)
        live = self._live(document, verdict)
        if live and (reason := self._stop_reason(document, live, look, now)):
            document = self.users.write(document, replace(document.status, reason=reason), state="stopped")
            verdict = judge(document, self.settings, now)
        if none_may_run(verdict) and listed is None:
            listed = self.cluster.user_objects(labels.of_user(document.id))
        seen = Seen(verdict, None if none_may_run(verdict) else live, announcement=look.announcement)
        strays = _strays(listed or [], verdict, document)
        self._tell_others(_emails(strays) - {released}, document.id)
        changed = self._remove(strays)
        if isinstance(verdict, Wanted):
            seen, applied = self._apply(document, verdict, seen)
            changed |= applied
        if own_agent := _superseded(listed or [], strays, self.settings):
            handed_over = facts.is_available(self.cluster.read_shared_agent())
            changed |= handed_over and self._remove(own_agent)
            seen = replace(seen, own_agent_stays=not handed_over)
        purged = self.purger.purge(document, verdict, now) if isinstance(verdict, Ended) else Purge()
        seen = replace(seen, purge_pending=purged.pending, message=purged.message)
        return self._record(document, seen, now, changed=changed, purged=purged.done)

    def _no_news(self, announcement: Announcement, document: UserDocument, now: datetime) -> str | None:
        if reason := ignored(announcement, document, self.settings, now):
            return f"announcement ignored: {reason}"
        return None if is_news(announcement, document, self.settings, now) else "announcement already known"

    def _gone(self, look: Look) -> Outcome:
        objects = self.cluster.user_objects(labels.of_user(look.user))
        self._tell_others(_emails(objects) | {look.email}, look.user)
        self._remove(objects)
        if objects and self.users.get(look.user) is not None:
            raise DocumentChanged(look.user)
        return Outcome(look.user, None, f"no document; {len(objects)} objects removed")

    def _listed(self, document: UserDocument, verdict: Verdict, look: Look) -> list[Object] | None:
        """The document's objects, whatever their name; None where there is no cause to list them."""
        status = document.status
        name = _name(verdict)
        moved = name is not None and status.name not in (None, name)
        unknown = status.name is None and not look.created
        other_settings = status.settings not in (None, self.settings.hash)
        if none_may_run(verdict) or moved or unknown or other_settings or look.list_objects:
            return self.cluster.user_objects(labels.of_user(document.id))
        return None

    def _settle_email(
        self, document: UserDocument, verdict: Verdict, listed: list[Object] | None, now: datetime
    ) -> tuple[UserDocument, Verdict]:
        """Release the former e-mail and claim the new one; the former name's objects go before that is written."""
        email, former = verdict.email, document.status.name
        if released := _released(document, verdict):
            if email is not None:
                self._remove([obj for obj in listed or [] if facts.instance(obj) == former])
            self.emails.tell_others(released, document.id)
        return (document, verdict) if email is None else self.emails.claim(document, verdict, email, now)

    def _live(self, document: UserDocument, verdict: Verdict) -> Object | None:
        """The notebook's Deployment, where one may run; what another document runs under this name is not it."""
        name = verdict.name if isinstance(verdict, Wanted) else document.status.name
        live = None if none_may_run(verdict) or name is None else self.cluster.read_notebook(name)
        return live if live is None or isinstance(verdict, Wanted) or facts.is_of(live, document.id) else None

    def _stop_reason(self, document: UserDocument, live: Object, look: Look, now: datetime) -> str | None:
        if look.announcement and says_idle(look.announcement, document, facts.created_at(live), self.settings, now):
            return "Idle"
        return "MaxAge" if maximum_age_reached(document, live, self.settings, now) else None

    def _tell_others(self, emails: set[str | None], document_id: str) -> None:
        """Let others look whose objects are about to go: two looks at once can take them from each other."""
        for email in sorted(filter(None, emails)):
            self.emails.tell_others(email, document_id)

    def _remove(self, objects: list[Object]) -> bool:
        for obj in objects:
            self.cluster.delete(obj)
        return bool(objects)

    def _apply(self, document: UserDocument, wanted: Wanted, seen: Seen) -> tuple[Seen, bool]:
        """Apply what should exist; says whether that changed anything, as far as it can matter to a race."""
        before, live = seen.live, seen.live
        objects = desired(document, wanted, live, self.installation)
        storage = self.storages[wanted.profile.storage.kind]
        try:
            changed = objects.storage and storage.make(document, wanted)
        except StorageRefused as e:
            return replace(seen, verdict=Rejected("StorageRefused", f"profile: {e}", wanted.email)), False
        results = list(map(self.cluster.apply, objects.before))
        if objects.notebook:
            notebook = self.cluster.apply(objects.notebook)
            results.append(notebook)
            live = notebook.live
        results += map(self.cluster.apply, objects.after)
        changed |= any(result.created for result in results)
        changed |= facts.generation(live) != facts.generation(before)
        seen = replace(seen, live=live, waits=objects.waits)
        if before and not is_ready(document, seen):
            notebook_pods = self.cluster.pods(f"{labels.of_name(wanted.name)},{labels.COMPONENT}=jupyterlab")
            seen = replace(seen, trouble=facts.trouble(notebook_pods))
        return seen, changed

    def _record(self, document: UserDocument, seen: Seen, now: datetime, *, changed: bool, purged: bool) -> Outcome:
        status = next_status(document, seen, self.settings, now)
        if status != document.status or purged:
            cleared = {"purge": None} if purged else {}
            self.users.write(document, replace(status, updatedAt=now), **cleared)
            return Outcome(document.id, status.phase, "status written")
        if changed:
            current = self.users.get(document.id)
            if current is None or current.update_time != document.update_time:
                raise DocumentChanged(document.id)
            return Outcome(document.id, status.phase, "repaired")
        return Outcome(document.id, status.phase, "unchanged")


def _name(verdict: Verdict) -> str | None:
    return base_name(verdict.email) if verdict.email else None


def _emails(objects: list[Object]) -> set[str | None]:
    return {facts.email(obj) for obj in objects}


def _released(document: UserDocument, verdict: Verdict) -> str | None:
    """The e-mail with which the document counted and no longer does."""
    before = document.status
    return before.email if before.emailSince and before.email != verdict.email else None


def _strays(listed: list[Object], verdict: Verdict, document: UserDocument) -> list[Object]:
    """Of a document's objects those that should not be."""
    if none_may_run(verdict):
        return listed
    keep = _name(verdict) or document.status.name
    return [obj for obj in listed if facts.instance(obj) != keep]


def _superseded(listed: list[Object], strays: list[Object], settings: Settings) -> list[Object]:
    """The user's own agent, where the shared one is to serve everybody."""
    if settings.agent == "per-user":
        return []
    return [obj for obj in listed if obj not in strays and facts.component(obj) == "agent"]
