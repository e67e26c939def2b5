"""A place in a list of people: after one of them, who may be gone by then."""

from dataclasses import dataclass
from typing import Self

from kupyterhub.domain.users import UserDocument
from kupyterhub_portal.domain.ids import is_id


@dataclass(frozen=True, slots=True)
class Place:
    """After the person of this e-mail, as it is written in the document, and of this id."""

    email: str
    id: str

    @classmethod
    def after(cls, document: UserDocument) -> Self:
        """The place after a person."""
        email = document.fields.get("email")
        return cls(email if isinstance(email, str) else "", document.id)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Read what `str` of one gave; None for anything else."""
        # No id has a slash; e-mails may.
        email, slash, user = text.rpartition("/")
        return cls(email, user) if slash and is_id(user) else None

    def __str__(self) -> str:
        """As a part of an address."""
        return f"{self.email}/{self.id}"
