"""The server's own pages: small, under a Content-Security-Policy that forbids what is not in them."""

from __future__ import annotations

import secrets
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

_templates = Environment(
    loader=PackageLoader("kupyterhub_proxy"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)


def page(
    template: str,
    *,
    status: int = 200,
    form_targets: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    **values: Any,
) -> web.Response:
    """Render a template.

    `form_targets`: origins that its forms may post to, beside its own. Browsers check redirects too.
    """
    nonce = secrets.token_urlsafe(12)
    targets = " ".join(("'self'", *form_targets))
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; form-action {targets}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return web.Response(
        status=status,
        text=_templates.get_template(template).render(nonce=nonce, **values),
        content_type="text/html",
        headers={
            **(headers or {}),
            "Cache-Control": "no-store",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


def redirect(url: str) -> web.Response:
    """Send the browser elsewhere, by GET."""
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


def local_path(text: str) -> str:
    """Give a path to return to, `/` for anything that is none. It is only ever put behind an origin."""
    return text if text.startswith("/") and text.isprintable() and " " not in text else "/"
