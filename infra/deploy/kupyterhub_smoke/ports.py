"""What a try asks of the outside: people.py and kubectl.py have the real ones."""

from collections.abc import Mapping
from typing import Any, Protocol


class SmokeError(Exception):
    """The system does not do what it should; the text says what."""


class Users(Protocol):
    """Documents of `users`, and the topic by which they end."""

    def get(self, user: str) -> dict[str, Any] | None:
        """A document's fields, or None."""

    def add(self, user: str, fields: dict[str, Any]) -> None:
        """Make a document."""

    def remove(self, user: str) -> None:
        """Remove a document."""

    def purge(self, user: str) -> None:
        """Publish `delete-user` with purge."""


class Notebooks(Protocol):
    """People's running notebooks."""

    def run(self, status: Mapping[str, Any], code: str) -> str:
        """Run Python in the notebook of whom `status` is, and return what it printed; raises SmokeError."""
