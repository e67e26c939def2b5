"""Opens a WebSocket: the client's half of the handshake of RFC 6455, by aiohttp's client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from kupyterhub_tunnel.websocket import WebSocket
from kupyterhub_tunnel.websocket_frames import VERSION, accept_key, new_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yarl import URL

_PROTOCOL = "Sec-WebSocket-Protocol"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A WebSocket that was opened. Whoever has it closes both, the socket first."""

    answer: aiohttp.ClientResponse
    socket: WebSocket
    subprotocol: str | None


class _Tail:
    """What aiohttp gives what it has read behind an answer's head."""

    def __init__(self) -> None:
        self.data = b""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None: ...

    def taken(self) -> bytes:
        """Give it, and keep nothing."""
        data, self.data = self.data, b""
        return data


async def upgraded(
    session: aiohttp.ClientSession,
    url: URL,
    headers: Sequence[tuple[str, str]],
    *,
    subprotocols: Sequence[str] = (),
    heartbeat_seconds: float | None = None,
    **options: Any,
) -> Upgraded:
    """Open it; raises ClientError, WSServerHandshakeError among them. `options` are those of aiohttp's `request`."""
    key = new_key()
    handshake = [
        *headers,
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", VERSION),
        ("Sec-WebSocket-Key", key),
        *([(_PROTOCOL, ",".join(subprotocols))] if subprotocols else []),
    ]
    answer = await session.get(url, headers=handshake, allow_redirects=False, **options)
    connection = answer.connection
    accepted = answer.status == 101 and answer.headers.get("Sec-WebSocket-Accept") == accept_key(key)  # noqa: PLR2004 - switching protocols
    if not accepted or connection is None or connection.transport is None:
        answer.close()
        raise aiohttp.WSServerHandshakeError(
            answer.request_info, (), status=answer.status, message=answer.reason or "", headers=answer.headers
        )
    tail = _Tail()
    assert connection.protocol is not None  # noqa: S101 - it has a transport
    connection.protocol.set_parser(tail, None)
    chosen = answer.headers.get(_PROTOCOL)
    return Upgraded(
        answer,
        WebSocket(connection.transport, client=True, heartbeat_seconds=heartbeat_seconds, early=tail.taken()),
        chosen if chosen in subprotocols else None,
    )
