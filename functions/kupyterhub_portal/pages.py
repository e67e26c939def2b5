"""Renders the portal's pages, under a Content-Security-Policy that lets only our own two files in.

A page that waits for a long answer of Firestore begins before it: the template says `{{ begin }}` where, and calls
there what it waits for. Meanwhile the browser has the heading, and gets style and script.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from importlib import resources
from itertools import takewhile
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Request, Response

_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    # With no-referrer, browsers would hide the origin of forms, too.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_BEGIN = "\0"
# Flask, around a function in the cloud, answers /static/ itself.
STATIC = "/assets/"
_TYPES = {"portal.css": "text/css", "portal.js": "text/javascript"}
_files = {name: (resources.files(__package__) / "static" / name).read_bytes() for name in _TYPES}
_versions = {name: hashlib.sha256(content).hexdigest()[:12] for name, content in _files.items()}

_templates = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.tests["moment"] = lambda value: isinstance(value, datetime)
_templates.globals["asset"] = lambda name: f"{STATIC}{name}?{_versions[name]}"


def begun(template: str, sign_in_host: str, **values: Any) -> Response:
    """Render a template piece by piece; what it calls after `{{ begin }}` may not raise."""
    pieces = _templates.get_template(template).generate(values, begin=_BEGIN)
    return Response(_parts(pieces), content_type="text/html; charset=utf-8", headers=_headers(sign_in_host))


def _parts(pieces: Iterator[str]) -> Iterator[str]:
    yield "".join(takewhile(lambda piece: piece != _BEGIN, pieces))
    yield "".join(pieces)


def page(template: str, sign_in_host: str = "", *, status: int = 200, **values: Any) -> Response:
    """Render a template. What its forms and scripts ask for may lead to `sign_in_host` and back."""
    return Response(
        _templates.get_template(template).render(values),
        status=status,
        content_type="text/html; charset=utf-8",
        headers=_headers(sign_in_host),
    )


def _headers(sign_in_host: str) -> dict[str, str]:
    ours = f"'self' {sign_in_host}".rstrip()
    policy = (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src {ours}; img-src data:; "
        f"form-action {ours}; base-uri 'none'; frame-ancestors 'none'"
    )
    return {**_HEADERS, "Content-Security-Policy": policy}


def redirect(url: str) -> Response:
    """Send the browser elsewhere, by GET."""
    return Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


def local_path(text: str) -> str:
    """A path of the portal to return to; the first page for anything that is none."""
    fine = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isascii() and text.isprintable()
    return text if fine and " " not in text else "/"


def static(request: Request) -> Response | None:
    """Answer a request for one of the files; each version has a URL of its own, so it is kept for ever."""
    name = request.path.removeprefix(STATIC)
    if name not in _files:
        return None
    return Response(
        _files[name],
        content_type=f"{_TYPES[name]}; charset=utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"},
    )
