"""What must never happen on the way: watched after every write, whoever made it.

- A notebook that was started for good reason ends, or is restarted, only for a reason that came later.
- No two pods of one name run at once.
- Storage goes only where somebody asked for it, and nobody is at work on it.
- A late `delete-user` deletes nobody who was enrolled since; who is stopped for idleness or age was idle or old.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from histories.deliveries import Instance
from kupyterhub.domain import live as facts
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.lifetimes import Lifetime
from kupyterhub.domain.live import Object
from kupyterhub.domain.policy import Ended, Rejected, Wanted, email_of, has_ended, judge, none_may_run, profile_of
from kupyterhub.domain.users import UserDocument
from kupyterhub_rules.names import base_name

if TYPE_CHECKING:
    from histories.stage import Stage


@dataclass
class Notebook:
    """A notebook's Deployment, as it was started."""

    uid: str
    template: Object
    sure: bool
    """It was made by a look that began after everything that was a reason to end it."""


@dataclass
class Asked:
    """What a document asks for, as far as it concerns who may run."""

    name: str | None = None
    """What may run of it."""
    restart: bool = False


@dataclass
class Watch:
    """Remembers who had a reason to do what."""

    stage: "Stage"
    wrong: list[str] = field(default_factory=list)
    """What has happened and never should."""
    purges: set[str] = field(default_factory=set)
    """Names whose storage somebody asked to remove."""
    running: dict[str, Notebook] = field(default_factory=dict)
    _reasons: dict[str, int] = field(default_factory=dict)
    """When there was last a reason to end what runs under a name."""
    _asked: dict[str, Asked] = field(default_factory=dict)
    _counts: dict[str, list[tuple[datetime, str | None]]] = field(default_factory=dict)
    """From when on each document counted with which e-mail."""
    _dropped: dict[str, int] = field(default_factory=dict)
    """When somebody last deleted a notebook's Deployment with kubectl."""

    _read: dict[str, UserDocument] = field(default_factory=dict)

    # What others tell.

    def after_act(self) -> None:
        """Somebody outside has done something, or time has passed."""
        self._look_at_documents()
        self._look_at_notebooks(None)

    def after_write(self, by: Instance | None, name: str, args: tuple[Any, ...], answer: Any) -> None:
        """The controller has written something."""
        if name in ("write", "take"):
            self._look_at_record(by, name, args, answer)
            self._look_at_documents()
        elif name == "delete":
            self._look_at_documents()  # the end of somebody may have come since the last act
        elif name == "create" and answer is not None:
            self._look_at_pods(by, answer)
        elif name == "delete_claim":
            self._look_at_storage(by, args[0])
        if name in ("create", "apply", "annotate", "delete"):
            self._look_at_notebooks(by)

    def give_reason(self, name: str | None) -> None:
        """From now on what runs under a name may end."""
        if name is None:
            return
        self._reasons[name] = self.stage.tick
        if name in self.running:
            self.running[name].sure = False

    def status_taken(self, user: str) -> None:
        """What the controller knew of a document is another past, or none; with a claim it is known all the same."""
        name = self._asked.get(user, Asked()).name
        if name and self.stage.users.claims().get(name) != user:
            self.give_reason(name)

    def restored(self, user: str, created: datetime) -> None:
        """Nobody was enrolled by it: who comes back is as old as they were."""
        self._counts[user] = [(created, email_of(self.stage.users.peek(user)))]

    def claim_lost(self, name: str) -> None:
        """Who holds a name is no longer known, but for what the holder's document says, and no other's."""
        statuses = {user: self.stage.users.peek(user).status for user in self.stage.users.ids()}
        say_so = [user for user, status in statuses.items() if status.name == name and status.emailSince]
        if say_so != [self.stage.users.claims().get(name)]:
            self.give_reason(name)

    def dropped(self, deployment: str) -> None:
        """Somebody has deleted a Deployment with kubectl."""
        self._dropped[deployment] = self.stage.tick

    def raise_what_is_wrong(self) -> None:
        assert not self.wrong, "; ".join(self.wrong)

    # What is looked at.

    def _look_at_documents(self) -> None:
        now = self.stage.clock()
        for user in {*self._asked, *self.stage.users.ids()}:
            document = self._document(user)
            before, asked = self._asked.get(user, Asked()), self._asks(user, document)
            self._asked[user] = asked
            if before.name and before.name != asked.name and self._acted(user, document, before.name):
                self.give_reason(before.name)
            if asked.restart and not before.restart:
                self.give_reason(asked.name)
            if asked.name and self._is_kept_from_it(user, asked.name):
                self.give_reason(asked.name)
            email = email_of(document) if document and not has_ended(document, now) else None
            counts = self._counts.setdefault(user, [])
            if not counts or counts[-1][1] != email:
                counts.append((now, email))
            if document and document.wishes.purge and has_ended(document, now):
                emails = filter(None, (email_of(document), document.status.email))
                self.purges.update(map(base_name, emails))

    def _document(self, user: str) -> UserDocument | None:
        """The document as it is, read once for each of its versions."""
        stored = self.stage.users._versions.get(user)
        if stored is None:
            return None
        if user not in self._read or self._read[user].update_time != stored.update_time:
            self._read[user] = self.stage.users.peek(user)
        return self._read[user]

    def _asks(self, user: str, document: UserDocument | None) -> Asked:
        if document is None:
            return Asked()
        verdict = judge(document, self.stage.settings, self.stage.clock())
        if none_may_run(verdict) or isinstance(verdict, Ended):
            return Asked()
        if isinstance(verdict, Wanted):
            return Asked(verdict.name, restart=document.wishes.restart)
        assert isinstance(verdict, Rejected)
        # What runs under an e-mail that is none any more is left running; what another document has started is not.
        name = base_name(verdict.email) if verdict.email else self._asked.get(user, Asked()).name
        live = self._deployment(name or "")
        return Asked(name if live is None or facts.is_of(live, user) else None)

    def _is_kept_from_it(self, user: str, name: str) -> bool:
        """Whether another holds the name who is rejected for what the document says, and so takes up nothing."""
        holder = self.stage.users.claims().get(name)
        document = self._document(holder) if holder not in (None, user) else None
        verdict = judge(document, self.stage.settings, self.stage.clock()) if document else None
        return isinstance(verdict, Rejected) and not verdict.by_policy

    def _acted(self, user: str, document: UserDocument | None, name: str) -> bool:
        """Whether a document may have been the one that ran under a name: of several, others were duplicates."""
        holder = self.stage.users.claims().get(name)
        since = document.status.emailSince if document else None
        live = self._deployment(name)
        return holder in (None, user) or since is not None or (live is not None and facts.user(live) == user)

    def _look_at_notebooks(self, by: Instance | None) -> None:
        found = {
            name.removeprefix("jupyterlab-"): obj
            for (kind, name), obj in self.stage.cluster._objects.items()
            if kind == "Deployment" and name.startswith("jupyterlab-") and not facts.is_ending(obj)
        }
        for name in {*self.running, *found}:
            before, live = self.running.get(name), found.get(name)
            uid, template = (live["metadata"]["uid"], live["spec"]["template"]) if live else (None, None)
            if before and (before.uid, before.template) == (uid, template):
                continue
            if before and before.sure and by is not None:
                what = "ended" if before.uid != uid else "was restarted"
                self.wrong.append(f"the notebook {name} ({before.uid}) {what} without a reason, by {by}")
            if live is None:
                self.running.pop(name)
                continue
            # Settings of which nobody knows yet how many they stop are held back from who starts as well.
            is_asked_for = any(asked.name == name for asked in self._asked.values())
            sure = by is not None and is_asked_for and by.started >= self._reasons.get(name, -1)
            self.running[name] = Notebook(live["metadata"]["uid"], live["spec"]["template"], sure)

    def _look_at_pods(self, by: Instance | None, made: Object) -> None:
        name = made["metadata"]["name"]
        if by is None or made["kind"] != "Deployment" or not name.startswith("jupyterlab-"):
            return
        others = [
            pod["metadata"]["name"]
            for (kind, _), pod in self.stage.cluster._objects.items()
            if kind == "Pod" and pod["metadata"]["annotations"]["deployment"] == name
        ]
        if others and self._dropped.get(name, -1) < by.started:
            self.wrong.append(f"{name} was made by {by} while {others} still ran on the same disk")

    def _look_at_storage(self, by: Instance | None, read: Object) -> None:
        name = read["metadata"]["name"].removeprefix("home-")
        if name not in self.purges:
            self.wrong.append(f"the storage of {name} goes, which nobody asked for, by {by}")
        if name in self.running and by and self.running[name].sure:
            self.wrong.append(f"the storage of {name} goes while somebody is at work on it, by {by}")

    def _look_at_record(self, by: Instance | None, name: str, args: tuple[Any, ...], answer: Any) -> None:
        if isinstance(answer, str):
            return
        document, record = args[0], args[1] if name == "write" else args[2]
        fields = dict(record.fields)
        if fields.get("state") == "deleted" and by:
            since, email = self._counts[document.id][-1]
            then = [each for at, each in self._counts[document.id] if by.event.published and at <= by.event.published]
            if email and then[-1:] != [email]:
                self.wrong.append(f"{by} deleted {document.id}, who was enrolled at {since:%H:%M:%S}")
        if fields.get("state") == "stopped" and by:
            self._look_at_stop(by, document, record.status.reason)

    def _look_at_stop(self, by: Instance, document: UserDocument, reason: str | None) -> None:
        live = self._deployment(document.status.name or "")
        if live is None:
            return
        lifetime = Lifetime.of_live(live, profile_of(document, self.stage.settings))
        end, said = lifetime.ends_at(live), by.event.message
        old = reason == "MaxAge" and end is not None and end <= self.stage.clock()
        idle = (
            reason == "Idle"
            and isinstance(said, Announcement)
            and said.last_activity is not None
            and lifetime.idle_timeout is not None
            and said.sent_at - said.last_activity >= lifetime.idle_timeout
        )
        if not (old or idle):
            self.wrong.append(f"{by} stopped {document.id} as {reason}, who was not")

    def _deployment(self, name: str) -> Object | None:
        return self.stage.cluster._objects.get(("Deployment", f"jupyterlab-{name}"))
