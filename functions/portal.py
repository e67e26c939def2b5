"""The entry point of the portal, an HTTP function of its own: its imports cost the controller nothing."""

import functions_framework
from flask import Request
from werkzeug.wrappers import Response

from kupyterhub_portal import bootstrap


@functions_framework.http
def portal(request: Request) -> Response:
    """Answer one request of a browser."""
    return bootstrap.portal().answer(request)
