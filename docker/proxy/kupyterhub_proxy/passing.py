"""Signed values that are good for a short while: only who has the key makes them. No I/O."""

from __future__ import annotations

import time
from typing import Any

from itsdangerous import BadData, URLSafeSerializer


class Passing:
    """Makes and reads those of one purpose, `salt`, each good for `seconds`.

    It is the end that is signed, not the beginning: itsdangerous' own refuse what was made in the future, and a
    replica whose clock is behind would refuse another's.
    """

    def __init__(self, key: bytes, salt: str, seconds: int) -> None:
        self._serializer = URLSafeSerializer(key, salt=salt)
        self._seconds = seconds

    def dumps(self, value: Any) -> str:
        """Sign what JSON can hold."""
        return str(self._serializer.dumps([int(time.time()) + self._seconds, value]))

    def loads(self, text: str) -> Any:
        """Give what was signed; None for what was not, or is over."""
        try:
            until, value = self._serializer.loads(text)
        except BadData:
            return None
        return value if time.time() < until else None
