"""A transport of asyncio's in memory: what was written stays in `written`."""

import asyncio
from collections.abc import Iterable

_READ_BYTES = 256 * 1024


class MemoryTransport(asyncio.Transport):
    """The protocol that it is made for is told by `connection_lost` when it ends, as asyncio does: soon."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.written = bytearray()
        self.reading = True
        self.aborted = False
        self._protocol = protocol
        self._closing = False
        self._waiting = b""

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def is_reading(self) -> bool:
        return self.reading

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        asyncio.get_running_loop().call_soon(self._deliver)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return self._closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def writelines(self, parts: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in parts:
            self.write(data)

    def arrive(self, data: bytes) -> None:
        """Have the protocol read it, as asyncio does: what it has paused for waits."""
        self._waiting += data
        self._deliver()

    def _deliver(self) -> None:
        while self._waiting and self.reading and not self._closing:
            data = self._waiting[:_READ_BYTES]
            size = len(data)
            if isinstance(self._protocol, asyncio.BufferedProtocol):
                with memoryview(self._protocol.get_buffer(-1)) as buffer:
                    size = min(len(buffer), size)
                    buffer[:size] = data[:size]
                    self._protocol.buffer_updated(size)
            else:
                assert isinstance(self._protocol, asyncio.Protocol)
                self._protocol.data_received(data[:size])
            self._waiting = self._waiting[size:]

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        self.aborted = True
        self.close()
