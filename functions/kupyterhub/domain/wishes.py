"""What a person asks for by a document, each field typed once, here: no rule meets a raw value.

null is absent, and so is a time that no program means (the zero of a language's clock). What has another type is kept
as `wrong`, in words, and counts as absent everywhere else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

RUNNING, STOPPED, DELETED = STATES = ("running", "stopped", "deleted")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Zero of Unix' clock; Go's is earlier. Nobody's server ended then."""
_FIELDS: dict[str, tuple[str, type]] = {
    "email": ("email", str),
    "state": ("state", str),
    "profile": ("profile", str),
    "image": ("image", str),
    "displayName": ("display_name", str),
    "expiresAt": ("expires_at", datetime),
    "restart": ("restart", bool),
    "purge": ("purge", bool),
}
_KINDS = {
    str: "text",
    bool: "true or false",
    datetime: "a timestamp",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a map",
}


@dataclass(frozen=True)
class Wishes:
    """The fields of a users document that the controller acts on."""

    email: str | None = None
    """As it was written."""
    state: str = RUNNING
    profile: str = "default"
    image: str | None = None
    display_name: str | None = None
    expires_at: datetime | None = None
    restart: bool = False
    purge: bool = False
    wrong: tuple[str, ...] = ()
    """A sentence for each field of another type."""

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        """Read the fields of a document."""
        given = {name: value for name in _FIELDS if (value := fields.get(name)) is not None}
        typed: dict[str, Any] = {
            _FIELDS[name][0]: value for name, value in given.items() if isinstance(value, _FIELDS[name][1])
        }
        if typed.get("expires_at", EPOCH) <= EPOCH:
            typed.pop("expires_at", None)
        wrong = tuple(
            f"{name}: must be {_KINDS[kind]}, not {_kind(given[name])}."
            for name, (_, kind) in _FIELDS.items()
            if name in given and not isinstance(given[name], kind)
        )
        return cls(**typed, wrong=wrong)


def _kind(value: Any) -> str:
    return next((word for kind, word in _KINDS.items() if type(value) is kind), None) or (
        "a timestamp" if isinstance(value, datetime) else f"a {type(value).__name__}"
    )
