"""Requests and answers as google/inverting-proxy carries them: a raw HTTP/1.1 message as the body of another one.

`agent/request` is answered with a carried request, `agent/response` is posted with a carried answer. Writers give
the bytes to send and readers take those that came, so neither knows what is under them. Bodies stream, framed
anew. What goes out must have been through `rules`: here only the headers of the framing itself are replaced.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import h11

from kupyterhub_tunnel.errors import ProtocolError
from kupyterhub_tunnel.heads import AnswerHead, RequestHead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from kupyterhub_tunnel.heads import Headers

BACKEND_HEADER = "X-Inverting-Proxy-Backend-ID"
REQUEST_HEADER = "X-Inverting-Proxy-Request-ID"
VM_HEADER = "X-Inverting-Proxy-VM-ID"

MAX_HEAD_BYTES = 64 * 1024
"""Most bytes of a carried message's head; more than either side takes from a browser or a notebook."""

_FRAMING = frozenset({"connection", "content-length", "host", "trailer", "transfer-encoding", "upgrade"})
_LINE_ENDS = frozenset("\r\n\0")
_CHUNKED = ("Transfer-Encoding", "chunked")


class Body:
    """The body of a carried message, as it arrives. It is iterated once; raises ProtocolError if it is cut short."""

    def __init__(self, incoming: _Incoming) -> None:
        self._incoming = incoming
        self.trailers: Headers = ()
        """Complete when the body has been iterated to its end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            match await self._incoming.event():
                case h11.Data(data=data):
                    yield bytes(data)
                case h11.EndOfMessage() as end:
                    self.trailers = _headers(end)
                    return


async def read_request(source: AsyncIterator[bytes], client: str = "") -> tuple[RequestHead, Body]:
    """Read a carried request; `client` is the browser's address, where it is known. Raises ProtocolError."""
    incoming = _Incoming(h11.Connection(h11.SERVER, MAX_HEAD_BYTES), source)
    event = await incoming.event()
    if not isinstance(event, h11.Request):
        raise ProtocolError("a carried request ended before its head")
    headers = _headers(event)
    head = RequestHead(
        method=event.method.decode(),
        target=event.target.decode(),
        headers=headers,
        client=client,
        has_body=_has_body(headers),
    )
    return head, Body(incoming)


async def read_answer(source: AsyncIterator[bytes], method: str) -> tuple[AnswerHead, Body]:
    """Read the carried answer to a request of this method, past 1xx ones. Raises ProtocolError.

    What follows an answer that has no body is not read: Google's agent ends those to HEAD like an empty body.
    """
    connection = h11.Connection(h11.CLIENT, MAX_HEAD_BYTES)
    with _local_errors():
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "carried")]))
        connection.send(h11.EndOfMessage())
    incoming = _Incoming(connection, source)
    event = await incoming.event()
    while isinstance(event, h11.InformationalResponse):
        event = await incoming.event()
    if not isinstance(event, h11.Response):
        raise ProtocolError("a carried answer ended before its head")
    headers = _headers(event)
    _has_body(headers)
    return AnswerHead(event.status_code, _text(event.reason), headers), Body(incoming)


class _Writer:
    """What both writers do after the head. Every method raises ProtocolError if that is no HTTP/1.1."""

    def __init__(self, connection: h11.Connection) -> None:
        self._connection = connection

    def data(self, chunk: bytes) -> bytes:
        """Go on with a piece of the body."""
        return self._send(h11.Data(data=chunk))

    def end(self, trailers: Headers = ()) -> bytes:
        """End the body; trailers go with a chunked one only."""
        return self._send(h11.EndOfMessage(headers=_encoded(trailers)))

    def _send(self, event: h11.Event) -> bytes:
        with _local_errors():
            return self._connection.send(event) or b""


class RequestWriter(_Writer):
    """Gives the bytes of one carried request."""

    def __init__(self) -> None:
        super().__init__(h11.Connection(h11.CLIENT))

    def head(self, head: RequestHead, host: str) -> bytes:
        """Begin; `host` is the value of the Host header. A body keeps its Content-Length or is chunked."""
        framing = [pair for pair in head.headers if pair[0].lower() == "content-length"]
        if head.has_body and not framing:
            framing = [_CHUNKED]
        headers = [("Host", host), *_unframed(head.headers), *framing]
        with _local_errors():
            request = h11.Request(method=head.method, target=_bytes(head.target), headers=_encoded(headers))
        return self._send(request)


class AnswerWriter(_Writer):
    """Gives the bytes of one carried answer.

    As Google's agent does: always chunked, to HEAD too, so that a reader need not know the request's method.
    """

    def __init__(self) -> None:
        super().__init__(h11.Connection(h11.SERVER))
        # h11 answers only what it was asked.
        self._connection.receive_data(b"GET / HTTP/1.1\r\nHost: carried\r\n\r\n")
        self._connection.next_event()
        self._connection.next_event()

    def head(self, head: AnswerHead) -> bytes:
        """Begin."""
        if not _LINE_ENDS.isdisjoint(head.reason):
            raise ProtocolError(
                "this cannot be carried as HTTP/1.1: its reason has several lines"
            )  # h11 lets it pass
        with _local_errors():
            answer = h11.Response(
                status_code=head.status,
                reason=_bytes(head.reason),
                headers=_encoded(_unframed(head.headers)),
            )
        return self._send(answer)


class _Incoming:
    """Takes the parts of one message off its source."""

    def __init__(self, connection: h11.Connection, source: AsyncIterator[bytes]) -> None:
        self._connection = connection
        self._source = source

    async def event(self) -> h11.Event:
        while True:
            try:
                event = self._connection.next_event()
            except h11.RemoteProtocolError as error:
                raise ProtocolError(f"what was carried is no HTTP/1.1: {error}") from error
            if isinstance(event, h11.Event):
                return event
            # No bytes are the end, for h11.
            self._connection.receive_data(await anext(self._source, b""))


def _has_body(headers: Headers) -> bool:
    lengths = {value for name, value in headers if name.lower() == "content-length"}
    chunked = any(name.lower() == "transfer-encoding" for name, _ in headers)
    if lengths and chunked:
        raise ProtocolError("what was carried has a length and is chunked too: where it ends is a matter of opinion")
    return chunked or bool(lengths - {"0"})


def _unframed(headers: Headers) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in headers if name.lower() not in _FRAMING)


def _headers(event: h11.Request | h11.Response | h11.EndOfMessage) -> Headers:
    return tuple((_text(name), _text(value)) for name, value in event.headers.raw_items())


def _encoded(pairs: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(_bytes(name), _bytes(value)) for name, value in pairs]


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


@contextmanager
def _local_errors() -> Iterator[None]:
    try:
        yield
    except h11.LocalProtocolError as error:
        raise ProtocolError(f"this cannot be carried as HTTP/1.1: {error}") from error
