"""The bytes of a request; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kupyterhub_agent.http_client.errors import BadRequest
from kupyterhub_tunnel.rules import SAFE_METHODS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it is sent, but for the framing of its body."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: AsyncIterator[bytes] | None = None

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent once more when nobody knows if it has arrived."""
        return self.body is None and self.method in SAFE_METHODS

    @property
    def length(self) -> int | None:
        """Of the body, where it is said; else its chunks say it."""
        said = [value for name, value in self.headers if name.lower() == "content-length"]
        return int(said[0]) if len(said) == 1 and said[0].isascii() and said[0].isdigit() else None

    def head(self) -> bytes:
        """Give all before the body; raises BadRequest for what would be read as something else."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body is not None and self.length is None:
            lines.append("Transfer-Encoding: chunked")
        text = "\r\n".join(lines)
        breaks = len(lines) - 1
        if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text or lines[0].count(" ") != 2:  # noqa: PLR2004 - the first line's
            raise BadRequest("a request with control characters is not sent")
        return f"{text}\r\n\r\n".encode("utf-8", "surrogateescape")


def chunk(data: bytes) -> bytes:
    """Frame bytes of a body whose length is not said."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
