"""An event as a function receives it. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass


class MalformedEventError(Exception):
    """What was posted to the bridge is no event of the kind that its path says."""


@dataclass(frozen=True)
class Event:
    """A CloudEvent in binary mode: attributes as `ce-*` headers, the data as the body."""

    function: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The CloudEvent's id; it stays the same however often the event is delivered."""
        return self.headers["ce-id"]
