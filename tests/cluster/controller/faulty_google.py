"""A proxy before Firestore's or Pub/Sub's emulator that refuses, delays and cuts calls, or loses their answers.

It knows nothing of what it passes on but the name of the method: bytes go in and out.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc

from cluster.controller.faulty import Effect, Fault, System, Wire

_CODES = {code.name: code for code in grpc.StatusCode}
_KINDS = [
    *(
        Fault(code, after)
        for code in ("UNAVAILABLE", "ABORTED", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")
        for after in (False, True)
    ),
    Fault("UNAUTHENTICATED"),
    Fault("slow", after=True),
    Fault("cut", after=True),
]
_HARMLESS = [Fault("slow", after=True)]
"""Of a rollback: a transaction that nobody ends keeps everybody from what it has read for a minute."""
_SLOW_SECONDS = 0.2
_WORKERS = 8


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, system: System, upstream: grpc.Channel, wire: Wire) -> None:
        self._system = system
        self._upstream = upstream
        self._wire = wire

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """All calls look alike on the wire: messages one way, messages the other way."""

        def serve(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            return self._serve(details, list(requests), context)

        return grpc.stream_stream_rpc_method_handler(serve)

    def _serve(
        self, details: grpc.HandlerCallDetails, body: list[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        kinds = _HARMLESS if details.method.endswith("/Rollback") else _KINDS
        fault = self._wire.next(self._system, details.method, kinds)
        if fault and not fault.after:
            context.abort(_CODES[fault.how], "it did not take effect")
        answers = self._forward(details, body, context)
        match fault:
            case None:
                yield from answers
            case Fault("slow"):
                time.sleep(_SLOW_SECONDS)
                yield from answers
            case Fault("cut"):
                yield from answers[:-1]
                context.abort(grpc.StatusCode.UNAVAILABLE, "the connection was lost")
            case Fault(code):
                context.abort(_CODES[code], "it took effect")

    def _forward(
        self, details: grpc.HandlerCallDetails, body: list[bytes], context: grpc.ServicerContext
    ) -> list[bytes]:
        metadata = [pair for pair in details.invocation_metadata if pair[0] != "user-agent"]
        try:
            answers = list(self._upstream.stream_stream(details.method)(iter(body), metadata=metadata))
        except grpc.RpcError as e:
            context.abort(e.code(), e.details())
        self._wire.took_effect(Effect(self._system, details.method, b"".join(body)))
        return answers


@contextmanager
def before_google(system: System, host: str, wire: Wire) -> Iterator[str]:
    """Serve before the emulator at `host`; the proxy's own host and port."""
    channel = grpc.insecure_channel(host)
    with ThreadPoolExecutor(_WORKERS) as workers:
        server: Any = grpc.server(workers, handlers=[_Handler(system, channel, wire)])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(None).wait()
            channel.close()
