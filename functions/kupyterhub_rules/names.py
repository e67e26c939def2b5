"""Names that anyone who knows an e-mail can compute (design: "Exact forms")."""

import hashlib
import re
from functools import lru_cache

MAX_EMAIL = 254
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DNS_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*@{_DNS_LABEL}(?:\.{_DNS_LABEL})*", re.ASCII)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,33}[a-z0-9])?-[0-9a-f]{16}", re.ASCII)
_SLUG_LENGTH = 35


def normalise_email(text: str) -> str | None:
    """The lower-case e-mail, or None where it is not an ASCII dot-atom of RFC 5322 at a domain of at most 254."""
    trimmed = text.strip()
    if len(trimmed) > MAX_EMAIL or not _EMAIL.fullmatch(trimmed):
        return None
    return trimmed.lower()


@lru_cache(maxsize=4096)
def base_name(email: str) -> str:
    """`<name>` of a lower-case e-mail's Kubernetes objects and host: slug, `-`, 16 hex; at most 52 characters.

    With the longest prefix, `jupyterlab-`, it is a DNS label of at most 63.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", email).strip("-")[:_SLUG_LENGTH].strip("-") or "u"
    return f"{slug}-{hashlib.sha256(email.encode()).hexdigest()[:16]}"


def is_name(label: str) -> bool:
    """Whether a host's label is shaped like a name. `login`, `agents` and `portal` never are."""
    return _NAME.fullmatch(label) is not None


def document_id(email: str) -> str:
    """The id of a users document that we write ourselves, so that a second enrolment is no second user."""
    return f"u-{hashlib.sha256(email.encode()).hexdigest()[:20]}"
