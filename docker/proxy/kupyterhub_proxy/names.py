"""Which name belongs to an e-mail: the owner of a host is found by computing, so the server stores nothing.

The controller has its own copy; tests/vectors/names.json keeps both equal.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

MAX_EMAIL_LENGTH = 254
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DNS_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_DNS_LABEL}(?:\.{_DNS_LABEL})*")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,33}[a-z0-9])?-[0-9a-f]{16}")
_SLUG_LENGTH = 35


def normalise_email(text: str) -> str | None:
    """Give the e-mail as it is compared: trimmed and lower-case; None if it is malformed."""
    trimmed = text.strip()
    if len(trimmed) > MAX_EMAIL_LENGTH or not _EMAIL.fullmatch(trimmed):
        return None
    return trimmed.lower()


@lru_cache(maxsize=4096)
def base_name(email: str) -> str:
    """Compute `<name>` of a normalised e-mail: slug, `-`, 16 hex of its SHA-256; a DNS label."""
    slug = re.sub(r"[^a-z0-9]+", "-", email).strip("-")[:_SLUG_LENGTH].strip("-") or "u"
    return f"{slug}-{hashlib.sha256(email.encode()).hexdigest()[:16]}"


def is_name(label: str) -> bool:
    """Whether a host's label is shaped like a name. `login` and `agents` never are."""
    return _NAME.fullmatch(label) is not None
