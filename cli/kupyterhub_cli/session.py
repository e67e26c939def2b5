"""What one run of the command works with. Each client is made when it is first used: Google's take long to import."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from kupyterhub_cli import place
from kupyterhub_cli.place import Place
from kupyterhub_cli.ports import Gcloud, Google, Logs, Topics, Users, Web
from kupyterhub_cli.screen import Screen


@dataclass
class Session:
    """The system that is meant, its clients, and the person's screen."""

    project: str | None = None
    screen: Screen = field(default_factory=Screen)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    folder: Path = field(default_factory=Path.cwd)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    @cached_property
    def place(self) -> Place:
        """Which system is meant; raises WrongUsage."""
        return place.find(self.project, self.environment, self.folder)

    @cached_property
    def users(self) -> Users:
        """Firestore; raises Unavailable."""
        from kupyterhub_cli.adapters.users import UserStore  # noqa: PLC0415 - takes long to import

        self._name_emulators()
        return UserStore(self.place)

    @cached_property
    def topics(self) -> Topics:
        """Pub/Sub; raises Unavailable."""
        from kupyterhub_cli.adapters.topics import PubSubTopics  # noqa: PLC0415 - takes long to import

        self._name_emulators()
        return PubSubTopics(self.place)

    def logs(self, namespace: str) -> Logs:
        """Kubernetes; raises Unavailable."""
        from kupyterhub_cli.adapters.pod_logs import PodLogs  # noqa: PLC0415 - takes long to import

        return PodLogs(self.place, namespace)

    def gcloud(self, project: str) -> Gcloud:
        """Google's command line; raises Refusal where there is none."""
        from kupyterhub_cli.adapters import gcloud  # noqa: PLC0415 - only where it is needed

        return gcloud.Gcloud(project)

    @cached_property
    def google(self) -> Google:
        """Google Cloud's other interfaces, for the doctor; raises Unavailable."""
        from kupyterhub_cli.adapters.web import GoogleApis  # noqa: PLC0415 - takes long to import

        return GoogleApis(self.place)

    @cached_property
    def web(self) -> Web:
        """Web servers."""
        from kupyterhub_cli.adapters.web import WebServers  # noqa: PLC0415 - takes long to import

        return WebServers()

    def _name_emulators(self) -> None:
        # Google's clients read these when they are made, and from nowhere else.
        for name, value in {
            "FIRESTORE_EMULATOR_HOST": self.place.firestore,
            "PUBSUB_EMULATOR_HOST": self.place.pubsub,
        }.items():
            if value:
                os.environ[name] = value
