"""All entry points of the functions in one WSGI application, each at the path of its name.

In the cloud each is a function of its own. What serves it there, functions-framework, serves it here, too.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import functions_framework
from werkzeug.wrappers import Response

from kupyterhub_local.state import CHECKOUT

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SOURCE = CHECKOUT / "functions/main.py"
ENTRY_POINTS = ("on_user_written", "on_delete_user", "on_agent_event", "on_reconcile_user", "on_resync")

_functions = {
    name: functions_framework.create_app(name, str(SOURCE), "cloudevent")  # type: ignore[no-untyped-call]
    for name in ENTRY_POINTS
}


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Pass a request to the entry point that its path names; `/` says that all are there."""
    name = environ["PATH_INFO"].strip("/")
    if name in _functions:
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = f"/{name}", "/"
        answer: Iterable[bytes] = _functions[name](environ, start_response)
        return answer
    status = 404 if name else 200
    return Response(f"Functions: {', '.join(ENTRY_POINTS)}\n", status)(environ, start_response)
