"""The twin of Pub/Sub, as the controller publishes to it."""

from collections.abc import Iterable

from twins.requests import Requests


class FakeBus:
    """Keeps the users whom `reconcile-user` messages name, until a test takes them."""

    def __init__(self) -> None:
        self.requests = Requests()
        self.messages: list[str] = []
        self.thoroughly: set[str] = set()
        """Those of the messages' users who are to be looked at thoroughly."""

    def ask_to_reconcile(self, users: Iterable[str], *, thoroughly: bool = False) -> None:
        for user in users:
            self.requests.note(f"publish reconcile-user {user}")
            self.messages.append(user)
            if thoroughly:
                self.thoroughly.add(user)

    def agent_events(self) -> str:
        return "projects/p/topics/agent-events"

    def take(self) -> list[str]:
        """The messages since the last time."""
        taken, self.messages = self.messages, []
        return taken
