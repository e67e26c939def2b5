"""Bytes of one TCP connection carried to another and back, with backpressure and half-close."""

import asyncio
from collections.abc import Callable

Choose = Callable[[], tuple[str, int] | None]
"""Returns address and port to connect to, or None when there is nothing to connect to."""


class _Side(asyncio.Protocol):
    """One of two connections; what it receives is written to the other."""

    transport: asyncio.Transport
    peer: "_Side | None" = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # TCP's are Transports

    def data_received(self, data: bytes) -> None:
        if self.peer is not None:
            self.peer.transport.write(data)

    def eof_received(self) -> bool:
        """Pass the end on and keep this connection open for what still comes the other way."""
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        if self.peer is not None:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer is not None and not self.peer.transport.is_closing():
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.peer is None:
            return
        if exc is None:
            self.peer.transport.close()
        else:
            self.peer.transport.abort()


class Front(_Side):
    """The accepted connection: finds its other end, and is reset where there is none."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Read nothing until there is somebody to write it to."""
        super().connection_made(transport)
        self.transport.pause_reading()
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        target = self._choose()
        if target is None:
            self.transport.abort()
            return
        try:
            _, back = await asyncio.get_running_loop().create_connection(_Side, *target)
        except OSError:
            self.transport.abort()
            return
        if self.transport.is_closing():
            back.transport.abort()
            return
        self.peer, back.peer = back, self
        self.transport.resume_reading()
