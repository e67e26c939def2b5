"""Ids of documents as a browser sends them back."""

_MAX_BYTES = 1500


def is_id(text: str) -> bool:
    """Whether Firestore takes that as an id (https://cloud.google.com/firestore/quotas)."""
    reserved = text.startswith("__") and text.endswith("__")
    fits = len(text.encode(errors="replace")) <= _MAX_BYTES
    return bool(text) and "/" not in text and text not in (".", "..") and not reserved and fits
