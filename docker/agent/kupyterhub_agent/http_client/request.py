"""The bytes of a request; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kupyterhub_agent.http_client.errors import BadRequest
from kupyterhub_tunnel.rules import SAFE_METHODS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from kupyterhub_tunnel.heads import Headers
    from kupyterhub_tunnel.pieces import Bytes

_SPACES = 2
"""Of the first line."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent, but for the framing of its body."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: AsyncIterator[Bytes] | None = None
    hinted: Callable[[int, str, Headers], None] | None = None
    """Is told of each interim answer but 100 and 101: its status, reason and headers."""

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent once more when nobody knows if it has arrived."""
        return self.body is None and self.method in SAFE_METHODS

    @property
    def length(self) -> int | None:
        """Of the body, where it is said; else its chunks say it. Raises BadRequest for what is no length."""
        said = [value for name, value in self.headers if name.lower() == "content-length"]
        if not said:
            return None
        if len(said) > 1 or not (said[0].isascii() and said[0].isdigit()):
            raise BadRequest("a request has one length")
        return int(said[0])

    def head(self) -> bytes:
        """Give all before the body; raises BadRequest for what would be read as something else."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body is None:
            if self.length:
                raise BadRequest("a request says the length of a body that it lacks")
        elif self.length is None:
            lines.append("Transfer-Encoding: chunked")
        text = "\r\n".join(lines)
        breaks = len(lines) - 1
        if lines[0].count(" ") != _SPACES or "\0" in text or text.count("\r") != breaks or text.count("\n") != breaks:
            raise BadRequest("a request with control characters is not sent")
        return f"{text}\r\n\r\n".encode("utf-8", "surrogateescape")


def chunk(data: Bytes) -> bytes:
    """Frame bytes of a body whose length is not said."""
    return b"".join((b"%x\r\n" % len(data), data, b"\r\n"))


LAST_CHUNK = b"0\r\n\r\n"
