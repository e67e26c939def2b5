"""The function as functions-framework serves it, and what its imports cost the controller."""

import subprocess
import sys
from pathlib import Path

import functions_framework
import pytest
from flask import Flask
from werkzeug.wrappers import Request, Response

from kupyterhub import settings as files
from kupyterhub_portal import bootstrap
from kupyterhub_portal.pages import STATIC
from kupyterhub_portal.settings import PortalSettings, SignInHost
from kupyterhub_portal.store import Store

FUNCTIONS = Path(__file__).parents[3] / "functions"
SETTINGS = """
domain: localhost:1
allowedEmails: ["*"]
images: {agent: a, jupyterlab: j}
profiles: {default: {}}
"""


class Echo:
    """A portal that says what it was asked."""

    def answer(self, request: Request) -> Response:
        return Response(f"{request.method} {request.full_path}", headers={"Content-Security-Policy": "x"})


class NoStore(Store):
    """No request of these tests gets as far."""

    def __init__(self) -> None:
        pass


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


def test_a_body_that_is_too_large_is_answered_by_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = SignInHost("http://login.localhost")
    settings = PortalSettings("http://localhost", identity, b"k" * 32, files.parse(SETTINGS))
    wired = bootstrap.wired(settings, NoStore())
    monkeypatch.setattr(bootstrap, "portal", lambda: wired)
    app: Flask = functions_framework.create_app("portal", str(FUNCTIONS / "portal.py"), "http")  # type: ignore[no-untyped-call]
    answer = app.test_client().post(
        "/people/add",
        data={"people": "x" * 300_000},
        headers={"Origin": "http://localhost"},
        base_url="http://localhost",
    )
    assert answer.status_code == 413
    assert "too much at once" in answer.text


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
