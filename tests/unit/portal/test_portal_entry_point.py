"""The function as functions-framework serves it, and what its imports cost the controller."""

import subprocess
import sys
from pathlib import Path

import functions_framework
import pytest
from flask import Flask
from werkzeug.wrappers import Request, Response

from kupyterhub_portal import bootstrap
from kupyterhub_portal.pages import STATIC

FUNCTIONS = Path(__file__).parents[3] / "functions"


class Echo:
    """A portal that says what it was asked."""

    def answer(self, request: Request) -> Response:
        return Response(f"{request.method} {request.full_path}", headers={"Content-Security-Policy": "x"})


@pytest.mark.parametrize("path", ["/people?part=a", f"{STATIC}portal.css?1", "/?start=a"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_path_reaches_the_portal_as_it_was_asked(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    monkeypatch.setattr(bootstrap, "portal", Echo)
    app: Flask = functions_framework.create_app("portal", str(FUNCTIONS / "portal.py"), "http")  # type: ignore[no-untyped-call]
    answer = app.test_client().open(path, method=method)
    assert answer.text == f"{method} {path}"
    assert answer.headers["Content-Security-Policy"] == "x"


def test_the_controller_imports_nothing_of_it_and_it_nothing_of_the_cluster() -> None:
    code = "import sys, {}; print([name for name in sys.modules if name.partition('.')[0] == '{}'])"
    for module, other in (("main", "kupyterhub_portal"), ("portal", "kubernetes")):
        done = subprocess.run(
            [sys.executable, "-c", code.format(module, other)],
            cwd=FUNCTIONS,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == "[]"
