"""Somebody's objects in the cluster: what is there is made what should be, or removed. Who holds the name is settled.

What is written is conditional on what was read, and created only where nothing was: ObjectChanged asks for another
look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from kupyterhub.domain import live as facts
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.desired import AGENT_KEYS, Change, Desired, Piece, desired
from kupyterhub.domain.drift import covers, owned
from kupyterhub.domain.errors import BeingDeleted, ClusterRefused, ObjectChanged, StorageRefused
from kupyterhub.domain.installation import Installation
from kupyterhub.domain.live import Object
from kupyterhub.domain.phases import Seen, is_ready
from kupyterhub.domain.policy import Rejected, Verdict, Wanted, none_may_run
from kupyterhub.domain.refusals import Trouble
from kupyterhub.domain.troubles import asks_for_events, trouble
from kupyterhub.domain.urls import user_url
from kupyterhub.domain.users import UserDocument
from kupyterhub.ports import Cluster, Storage

ENDING = Trouble("Ending", "The former server is still ending; this one starts when its last process is gone.")
PURGED = Trouble("PurgePending", "What was kept under this e-mail is being purged; the server starts after that.")


@dataclass(frozen=True)
class Objects:
    """The user objects of a cluster."""

    cluster: Cluster
    storages: Mapping[str, Storage]
    installation: Installation

    def read(self, document: UserDocument, verdict: Verdict, seen: Seen) -> Seen:
        """Read the notebook's Deployment, where one may run; what another document runs under the name is not it."""
        name = verdict.name if isinstance(verdict, Wanted) else document.status.name
        if none_may_run(verdict) or name is None or seen.fresh or seen.trouble:
            return seen
        live = self.cluster.read_notebook(name)
        if live is None or not (isinstance(verdict, Wanted) or facts.is_of(live, document.id)):
            return seen
        return replace(seen, trouble=ENDING) if facts.is_ending(live) else replace(seen, live=live)

    def settle(
        self, document: UserDocument, verdict: Verdict, seen: Seen, *, thoroughly: bool, now: datetime
    ) -> Seen:
        """Make what is there equal to what should be, and say what keeps it from running."""
        seen = self._taken_up(document, seen)
        if seen.trouble:
            return seen
        if not isinstance(verdict, Wanted):
            return self._handed_over(seen)
        try:
            before, seen = seen, self._apply(document, verdict, seen, thoroughly=thoroughly)
            if before.live and seen.live and not is_ready(document, seen):
                seen = replace(seen, trouble=self._trouble(verdict.name, seen.live, now))
        except StorageRefused as e:
            return replace(seen, verdict=Rejected("StorageRefused", f"profile: {e}", verdict.email))
        except ClusterRefused as e:
            return replace(seen, trouble=Trouble(e.reason, str(e), refused=True))
        return seen

    def remove(self, name: str, document: str) -> list[Object]:
        """Remove what a document has under a name; returns what was removed.

        The notebook's Deployment goes first: it must not tell of what is gone already, should this be cut short.
        """
        own = [obj for obj in self.cluster.of_name(name) if facts.is_of(obj, document) and not facts.is_ending(obj)]
        for obj in own:
            self.cluster.delete(obj)
        return own

    def _apply(self, document: UserDocument, wanted: Wanted, seen: Seen, *, thoroughly: bool) -> Seen:
        live = seen.live
        agent_stays = live is not None and self._own_agent_stays(live)
        keep = AGENT_KEYS if agent_stays else ()
        plan = desired(document, wanted, live, self.installation, keep)
        # What another document ran is taken over with all that there is of it, also of what waits.
        thoroughly = thoroughly or (live is not None and not facts.is_of(live, document.id))
        plan = plan.thoroughly() if thoroughly else plan
        try:
            made = plan.storage and self.storages[wanted.profile.storage.kind].make(document, wanted)
        except BeingDeleted:
            if live is None:
                return replace(seen, trouble=ENDING)
            # What runs on it keeps it from going; all else is seen to.
            made = False
        if live is None and not made and any(map(_may_run, self.cluster.pods(wanted.name))):
            return replace(seen, trouble=ENDING)
        put = [self._put(piece, expected=live is not None or thoroughly) for piece in plan.stale]
        after = self._put_notebook(plan, live)
        put += [self._mend(piece) for piece in plan.mends if thoroughly]
        gone = [self._take_away(key, wanted.name) for key in plan.gone]
        changed = made or any(put) or any(gone) or live is None or facts.version(after) != facts.version(live)
        return replace(
            seen,
            # Nothing is known yet of one that was just made.
            live=after if live else None,
            made=None if live else after,
            waits=plan.waits,
            changed=changed,
            own_agent_stays=agent_stays,
        )

    def _put(self, piece: Piece, *, expected: bool) -> bool:
        """Make it so; True where that changed anything."""
        kind, name = piece.manifest["kind"], piece.manifest["metadata"]["name"]
        read = self.cluster.read(kind, name) if expected else None
        if read is None:
            if self.cluster.create(piece.manifest):
                return True
            read = self.cluster.read(kind, name)
        if read is None:
            raise ObjectChanged(f"{kind} {name} came and went")
        return facts.version(self.cluster.apply(piece.manifest, read)) != facts.version(read)

    def _mend(self, piece: Piece) -> bool:
        """Make it so only where others have changed it or taken it away, else say whose it is; True where changed."""
        read = self.cluster.read(piece.manifest["kind"], piece.manifest["metadata"]["name"])
        if read is None or not covers(owned(read["metadata"]), piece.manifest):
            return self._put(piece, expected=read is not None)
        if facts.is_marked(read, piece.manifest):
            return False
        self.cluster.annotate(piece.manifest, read)
        return True

    def _put_notebook(self, plan: Desired, live: Object | None) -> Object:
        match plan.change:
            case Change.APPLY if live:
                return self.cluster.apply(plan.notebook, live)
            case Change.ANNOTATE if live:
                return self.cluster.annotate(plan.notebook, live)
            case Change.NOTHING if live:
                return live
            case _:
                created = self.cluster.create(plan.notebook)
                if created is None:
                    raise ObjectChanged(f"Deployment {plan.notebook['metadata']['name']} is there already")
                return created

    def _take_away(self, key: str, name: str) -> bool:
        kind, prefix = key.split()
        live = self.cluster.read(kind, f"{prefix}-{name}")
        if live is None or facts.is_ending(live):
            return False
        self.cluster.delete(live)
        return True

    def _own_agent_stays(self, live: Object) -> bool:
        """Whether the shared agent is to serve everybody and cannot yet."""
        if self.installation.settings.agent == "per-user":
            return False
        applied = facts.applied(live)
        if applied is not None and not applied.keys() & set(AGENT_KEYS):
            return False
        return not facts.is_available(self.cluster.read_agent())

    def _taken_up(self, document: UserDocument, seen: Seen) -> Seen:
        """What runs of somebody whose status was lost: an agent that is ready has announced it, as far as can be."""
        live, settings = seen.live, self.installation.settings
        if live is None or seen.announcement or document.status.agent or document.status.phase is not None:
            return seen
        agent = self.cluster.read_agent(None if settings.agent == "shared" else facts.instance(live))
        if settings.proxy == "hosted" or not facts.is_available(live) or not facts.is_available(agent):
            return seen
        start = facts.started_at(live)
        url = user_url(settings, facts.instance(live))
        said = Announcement("registered", document.id, facts.instance(live), "", url, start, start)
        return replace(seen, announcement=said)

    def _handed_over(self, seen: Seen) -> Seen:
        """What is left running as it is: the shared agent serves it, too."""
        if seen.live is None or self.installation.settings.agent == "per-user":
            return seen
        if self._own_agent_stays(seen.live):
            return replace(seen, own_agent_stays=True)
        gone = [self._take_away(key, facts.instance(seen.live)) for key in AGENT_KEYS]
        return replace(seen, changed=seen.changed or any(gone))

    def _trouble(self, name: str, live: Object, now: datetime) -> Trouble | None:
        pods = self.cluster.pods(name)
        own_agent = self.installation.settings.agent == "per-user"
        lacks_agent = own_agent and not any(facts.component(pod) == "agent" for pod in pods)
        agent = self.cluster.read_agent(name) if lacks_agent else None
        events = [said for pod in pods for said in self.cluster.warnings(pod)] if asks_for_events(pods, now) else []
        return trouble(live, pods, events, agent)


def _may_run(pod: Object) -> bool:
    of_notebook = facts.component(pod) == "jupyterlab"
    return of_notebook and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
