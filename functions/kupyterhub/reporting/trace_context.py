"""Which trace a request belongs to, by its headers; pure.

Cloud Run sends W3C's header and its own older one: https://www.w3.org/TR/trace-context/#traceparent-header,
https://cloud.google.com/trace/docs/trace-context#legacy-http-header.
"""

import re
from dataclasses import dataclass

_W3C = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_GOOGLES = re.compile(r"([0-9a-fA-F]{32})/([0-9]{1,20})(?:;o=([0-9]+))?", re.ASCII)
_SPANS = 2**64


@dataclass(frozen=True)
class TraceContext:
    """A span and the trace that it is part of, as lower-case hexadecimal digits, 32 and 16."""

    trace: str
    span: str
    sampled: bool


def of_headers(traceparent: str, x_cloud_trace_context: str) -> TraceContext | None:
    """The trace that these headers name, None where they name none; never an error."""
    return _of_w3c(traceparent) or _of_googles(x_cloud_trace_context)


def _of_w3c(header: str) -> TraceContext | None:
    found = _W3C.fullmatch(header.strip())
    return _checked(found[1], found[2], sampled=bool(int(found[3], 16) & 1)) if found else None


def _of_googles(header: str) -> TraceContext | None:
    """Google's has the span as a decimal number."""
    found = _GOOGLES.fullmatch(header.strip())
    if found is None or int(found[2]) >= _SPANS:
        return None
    return _checked(found[1].lower(), f"{int(found[2]):016x}", sampled=bool(int(found[3] or 0) & 1))


def _checked(trace: str, span: str, *, sampled: bool) -> TraceContext | None:
    """No id is all zeros."""
    return TraceContext(trace, span, sampled) if int(trace, 16) and int(span, 16) else None
