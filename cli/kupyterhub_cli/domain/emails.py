"""E-mails as people type them."""

import re
from collections.abc import Iterable, Iterator


def split(words: Iterable[str]) -> Iterator[str]:
    """Each e-mail or id of `a@x,b@y c@z`; what is there twice comes once."""
    pieces = (piece.strip() for word in words for piece in re.split(r"[,;\s]+", word))
    return iter(dict.fromkeys(piece for piece in pieces if piece))
