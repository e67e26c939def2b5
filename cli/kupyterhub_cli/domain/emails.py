"""E-mails and document ids (design: "Exact forms"); tests/vectors/ keeps this copy equal to the others."""

import hashlib
import re
from collections.abc import Iterable, Iterator

MAX_EMAIL = 254
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DNS_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*@{_DNS_LABEL}(?:\.{_DNS_LABEL})*", re.ASCII)


def normalise_email(text: str) -> str | None:
    """The lower-case e-mail, or None where it is none."""
    trimmed = text.strip()
    if len(trimmed) > MAX_EMAIL or not _EMAIL.fullmatch(trimmed):
        return None
    return trimmed.lower()


def document_id(email: str) -> str:
    """The id of the document that our own tools write for a lower-case e-mail."""
    return f"u-{hashlib.sha256(email.encode()).hexdigest()[:20]}"


def base_name(email: str) -> str:
    """What a lower-case e-mail's Kubernetes objects are named after."""
    slug = re.sub(r"[^a-z0-9]+", "-", email).strip("-")[:35].strip("-") or "u"
    return f"{slug}-{hashlib.sha256(email.encode()).hexdigest()[:16]}"


def split(words: Iterable[str]) -> Iterator[str]:
    """Each e-mail or id of `a@x,b@y c@z`; what is there twice comes once."""
    pieces = (piece.strip() for word in words for piece in re.split(r"[,;\s]+", word))
    return iter(dict.fromkeys(piece for piece in pieces if piece))
