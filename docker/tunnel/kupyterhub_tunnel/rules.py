"""What may pass between a browser and a notebook; pure. The server and the agent both enforce it.

The agent gives JupyterLab its token, and for a request with a token JupyterLab skips its XSRF and Origin
checks (jupyter_server/base/handlers.py). So those checks are made here, from the user's URL as it was
configured and never from what a request says of itself. Header names are compared with `_` as `-`, since
WSGI programs behind a notebook cannot tell the two apart.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

    from kupyterhub_tunnel.heads import Headers, RequestHead

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

COOKIE_PREFIX = "kupyterhub-"
"""All cookies of the proxy's own begin so, after `__Host-` where they have that."""
_OF_IAP = ("gcp_iap", "gcp-iap", "gcp_iaap", "gcp-iaap")
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""A token, as RFC 6265 (4.1.1) has it."""

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Expect was answered by the one who took the request; Forwarded is X-Forwarded-* by its standard name.
_REQUEST_ONLY = frozenset({"authorization", "expect", "forwarded", "host", "x-real-ip", "x-scheme"})
_REQUEST_PREFIXES = (
    "sec-websocket-",
    "x-forwarded-",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-inverting-proxy-",
)
# Alt-Svc would lead the browser past the proxy; Clear-Site-Data takes away the cookies of all hosts of the domain;
# whether a host is https alone is the proxy's to say.
_ANSWER_ONLY = frozenset({"alt-svc", "clear-site-data", "strict-transport-security"})
_ANSWER_PREFIXES = ("access-control-", "sec-websocket-")

_SHORT_NAME = 64


def refusal(head: RequestHead, origin: str) -> str | None:
    """Say why a request must not pass, or give None if it may.

    `origin` is scheme and host of the user's URL, as configured: `https://<name>.<domain>`.
    """
    if (head.websocket or head.method not in SAFE_METHODS) and values(head.headers, "origin") != [origin]:
        return f"a WebSocket, or a {head.method} request, must come from a page of {origin}"
    sites = values(head.headers, "sec-fetch-site")
    if any(site not in {"same-origin", "none"} for site in sites) and not _is_top_level_navigation(head):
        return "only links may lead here from another site"
    return None


def request_headers(headers: Headers) -> Headers:
    """Give the request's headers that a notebook may see; Host is set by the one who sends it."""
    return _passed(headers, _of_request, _notebook_cookies)


def request_target(target: str) -> str:
    """Remove `token` from the query, however it is spelt, and leave every other byte as it is."""
    path, mark, query = target.partition("?")
    if not mark:
        return target
    kept = [part for part in query.split("&") if unquote_plus(part.partition("=")[0]) != "token"]
    return f"{path}?{'&'.join(kept)}" if kept else path


def answer_headers(headers: Headers) -> Headers:
    """Give the answer's headers that a browser may see."""
    return _passed(headers, _of_answer, _own_host_cookie)


def subprotocols(headers: Headers) -> tuple[str, ...]:
    """List what a WebSocket's client offers, most wanted first."""
    offers = ",".join(values(headers, "sec-websocket-protocol"))
    return tuple(offer.strip() for offer in offers.split(",") if offer.strip())


class _Fate(Enum):
    """What becomes of a header."""

    PASSES = auto()
    GOES = auto()
    IS_REWRITTEN = auto()
    NAMES_OTHERS = auto()
    """It goes, and so do those that it names."""


def _passed(headers: Headers, fate: Callable[[str], _Fate], rewrite: Callable[[str], str | None]) -> Headers:
    """Give what passes, in its order; of what is rewritten those of which something is left."""
    kept = []
    named: set[str] = set()
    for pair in headers:
        name, value = pair
        match fate(name):
            case _Fate.PASSES:
                kept.append(pair)
            case _Fate.IS_REWRITTEN:
                if left := rewrite(value):
                    kept.append((name, left))
            case _Fate.NAMES_OTHERS:
                named.update(key(other.strip()) for other in value.split(","))
    if named - _HOP_BY_HOP:
        return tuple(pair for pair in kept if key(pair[0]) not in named)
    return tuple(kept)


def _judged(key: str, names: frozenset[str], prefixes: tuple[str, ...], rewritten: str) -> _Fate:
    if key == "connection":
        return _Fate.NAMES_OTHERS
    if key in _HOP_BY_HOP or key in names or key.startswith(prefixes):
        return _Fate.GOES
    return _Fate.IS_REWRITTEN if key == rewritten else _Fate.PASSES


def _by_name(judge: Callable[[str], _Fate]) -> Callable[[str], _Fate]:
    """Judge each name once. The same few come with each request; long ones are nobody's and not worth the memory."""
    known = lru_cache(maxsize=1024)(judge)
    return lambda name: known(name) if len(name) <= _SHORT_NAME else judge(name)


@_by_name
def _of_request(name: str) -> _Fate:
    return _judged(key(name), _REQUEST_ONLY, _REQUEST_PREFIXES, "cookie")


@_by_name
def _of_answer(name: str) -> _Fate:
    return _judged(key(name), _ANSWER_ONLY, _ANSWER_PREFIXES, "set-cookie")


def key(name: str) -> str:
    """Give a header's name as it is compared here."""
    # The same few names come with each request; long ones are nobody's and not worth the memory.
    return _short_key(name) if len(name) <= _SHORT_NAME else _any_key(name)


def _any_key(name: str) -> str:
    return name.lower().replace("_", "-")


_short_key = lru_cache(maxsize=1024)(_any_key)


def values(headers: Headers, wanted: str) -> list[str]:
    """List what the headers of one name (as `key` gives it) say."""
    return [value for name, value in headers if key(name) == wanted]


def _is_top_level_navigation(head: RequestHead) -> bool:
    return (
        head.method == "GET"
        and not head.websocket
        and values(head.headers, "sec-fetch-mode") == ["navigate"]
        and values(head.headers, "sec-fetch-dest") == ["document"]
    )


def _is_proxys(cookie_name: str) -> bool:
    name = cookie_name.strip().lower()
    for prefix in ("__host-", "__secure-"):
        name = name.removeprefix(prefix)
    return name.startswith((COOKIE_PREFIX, *_OF_IAP))


def _notebook_cookies(value: str) -> str:
    return "; ".join(
        part.strip() for part in value.split(";") if part.strip() and not _is_proxys(part.partition("=")[0])
    )


def _own_host_cookie(value: str) -> str | None:
    pair, *attributes = value.split(";")
    name = pair.partition("=")[0].strip()
    if name.lower().startswith("__host-") or _is_proxys(name) or not _COOKIE_NAME.fullmatch(name):
        # Readers differ in what they make of other names: of ` __Host-x`, of none (`=__Host-x=1`), of two words.
        return None
    kept = [a for a in attributes if a.partition("=")[0].strip().lower() != "domain"]
    return ";".join([pair, *kept])
