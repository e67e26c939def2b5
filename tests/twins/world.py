"""A controller with twins around it: what most of its tests start from."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from kupyterhub import settings as files
from kupyterhub.adapters.folders import Folders
from kupyterhub.domain.announcements import Announcement
from kupyterhub.domain.desired import KINDS
from kupyterhub.domain.settings import Settings
from kupyterhub.domain.urls import user_url
from kupyterhub.domain.users import Status
from kupyterhub.events import Deletion, Look
from kupyterhub.reconcile import Outcome, Reconciler
from kupyterhub.removal import Removal
from kupyterhub.resync import Resync
from kupyterhub_rules.names import base_name
from twins.bus import FakeBus
from twins.clock import FakeClock
from twins.cluster import FakeCluster
from twins.storage_api import BUCKET, CONTROLLER, StorageApi
from twins.users import FakeUsers

SETTINGS = files.parse("""
domain: localhost:8000
allowedEmails: ["*@example.com"]
images:
  jupyterlab: registry.example/jupyterlab:1
  agent: registry.example/agent:1
profiles:
  default:
    cpu: 100m
    memory: 256Mi
    idleTimeout: 1h
    readyDeadline: 10m
  big:
    cpu: "2"
    memory: 4Gi
    maxAge: 12h
    images: [registry.example/big:1, registry.example/big:2]
    storage: {size: 50Gi}
""")
IN_BUCKET = files.parse(f"""
domain: notebooks.example.com
allowedEmails: ["*@example.com"]
proxy: self-hosted
identity: {{mode: iap, audience: /projects/1/global/backendServices/2}}
images:
  jupyterlab: registry.example/jupyterlab:1
  agent: registry.example/agent:1
bucket: {{name: {BUCKET}, project: my-project, projectNumber: "123456789012"}}
profiles:
  default: {{storage: {{kind: gcs}}}}
  student: {{storage: {{kind: gcs}}, sharedFolders: [{{name: course}}, {{name: team, access: write}}]}}
  teacher: {{storage: {{kind: gcs}}, sharedFolders: [{{name: course, access: write}}]}}
  disk: {{}}
""")
ADA = "ada@example.com"
BOB = "bob@example.com"


@dataclass
class World:
    """Twins, settings and the controller that is made of them."""

    settings: Settings = SETTINGS
    master_secret: bytes = b"0123456789abcdef0123456789abcdef"
    clock: FakeClock = field(default_factory=FakeClock)
    bus: FakeBus = field(default_factory=FakeBus)
    bucket: StorageApi = field(default_factory=StorageApi)
    users: FakeUsers = field(init=False)
    cluster: FakeCluster = field(init=False)

    def __post_init__(self) -> None:
        self.users = FakeUsers(self.clock)
        self.cluster = FakeCluster(self.clock)

    @property
    def reconciler(self) -> Reconciler:
        session = self.bucket.session(CONTROLLER)
        folders = Folders(session, self.settings, most_deleted=50) if self.settings.bucket.name else None
        return Reconciler(self.users, self.cluster, self.bus, self.settings, self.master_secret, self.clock, folders)

    @property
    def removal(self) -> Removal:
        return Removal(self.reconciler)

    @property
    def resync(self) -> Resync:
        return Resync(self.reconciler)

    def answer(self, user: str) -> Outcome:
        """A `reconcile-user` message arrives."""
        thoroughly = user in self.bus.thoroughly
        self.bus.thoroughly.discard(user)
        return self.resync.answer(Look(user, thoroughly=thoroughly))

    def enrol(self, user: str = "ada", email: str = ADA, **fields: Any) -> Outcome:
        """A person's document is created, and the event of its creation arrives a second later."""
        self.users.set(user, email=email, **fields)
        self.clock.move(seconds=1)
        return self.reconciler.reconcile(Look(user))

    def look(self, user: str = "ada", **hints: Any) -> Outcome:
        """Some event says to look at a user."""
        return self.reconciler.reconcile(Look(user, **hints))

    def status(self, user: str = "ada") -> Status:
        """What the document says."""
        return self.users.peek(user).status

    def announcement(
        self, kind: Literal["registered", "idle", "lost"] = "registered", user: str = "ada", **other: Any
    ) -> Announcement:
        """What an agent that JupyterLab has just answered announces now."""
        name = other.get("name") or self.status(user).name or ""
        said: dict[str, Any] = {
            "name": name,
            "instance": "pod-1",
            "proxy_url": user_url(self.settings, name),
            "registered_at": self.clock(),
            "sent_at": self.clock(),
        }
        return Announcement(type=kind, user=user, **{**said, **other})

    def announce(
        self, kind: Literal["registered", "idle", "lost"] = "registered", user: str = "ada", **other: Any
    ) -> Outcome:
        """The proxy publishes an announcement, and it arrives."""
        return self.look(user, announcement=self.announcement(kind, user, **other))

    def delete_user(
        self,
        *,
        email: str | None = None,
        user: str | None = None,
        purge: bool = False,
        published: datetime | None = None,
        event: str | None = None,
    ) -> list[Outcome]:
        """Somebody publishes `delete-user`, and it arrives."""
        when = published or self.clock()
        return self.removal.delete(Deletion(when, email and email.lower(), user, purge, event))

    def ready(self, user: str = "ada", email: str = ADA, **fields: Any) -> None:
        """A person is enrolled, and their notebook becomes ready three seconds later."""
        self.enrol(user, email, **fields)
        self.clock.move(seconds=3)
        self.cluster.settle()
        self.announce(user=user)
        assert self.status(user).phase == "Ready"

    def deliver_bus(self) -> None:
        """Deliver what the controller published, and what that makes it publish, until nothing is left."""
        for _ in range(50):
            messages = self.bus.take()
            if not messages:
                return
            for user in messages:
                self.answer(user)
        raise AssertionError("the controller keeps publishing")

    def objects(self, user: str = "ada") -> set[str]:
        """The objects of a document, storage left out."""
        return {
            f"{obj['kind']} {obj['metadata']['name']}"
            for kind in KINDS
            for obj in (self.cluster.get(kind, name) for name in self.cluster.names(kind))
            if obj["metadata"].get("annotations", {}).get("kupyterhub/user") == user
            and not (kind == "Deployment" and "deletionTimestamp" in obj["metadata"])
        }


def objects_of(email: str) -> set[str]:
    """The objects that the contract names for a person who runs, storage left out."""
    name = base_name(email)
    return {
        f"Deployment jupyterlab-{name}",
        f"Deployment agent-{name}",
        f"Service jupyterlab-{name}",
        f"Secret jupyterlab-{name}",
        f"ServiceAccount agent-{name}",
        f"NetworkPolicy agent-{name}",
    }
