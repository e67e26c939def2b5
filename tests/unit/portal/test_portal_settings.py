"""What the portal is told, and what is wrong with it."""

from pathlib import Path

import pytest

from kupyterhub.domain.errors import SettingsError
from kupyterhub_portal.settings import Iap, Local, Oidc, read

SETTINGS = """
domain: example.org
allowedEmails: ["*"]
proxy: self-hosted
identity: {mode: oidc, issuer: "https://login.example.org", clientId: kupyterhub}
images: {agent: a, jupyterlab: j}
profiles: {default: {}}
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    files = {"settings": SETTINGS, "key": "k" * 32, "secret": "a secret\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return {
        "KUPYTERHUB_SETTINGS": str(tmp_path / "settings"),
        "KUPYTERHUB_PORTAL_URL": "https://portal.example.org/",
        "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key"),
        "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
        "KUPYTERHUB_IAP_AUDIENCE": "/projects/1/global/backendServices/2",
        "KUPYTERHUB_IDENTITY": "oidc",
    }


def test_each_way_to_sign_in_is_read_and_no_secret_is_shown(environment: dict[str, str]) -> None:
    found = read(environment)
    assert found.origin == "https://portal.example.org"
    assert found.identity == Oidc("https://login.example.org", "kupyterhub", "a secret")
    assert "a secret" not in repr(found)
    assert "kkk" not in repr(found)
    assert read({**environment, "KUPYTERHUB_IDENTITY": "iap"}).identity == Iap("/projects/1/global/backendServices/2")
    local = {"KUPYTERHUB_IDENTITY": "local", "KUPYTERHUB_PORTAL_URL": "http://localhost:8000"}
    assert read({**environment, **local}).identity == Local()


@pytest.mark.parametrize(
    "url", ["https://portal.example.org:443", "https://PORTAL.example.org:", "https://portal.example.org:443/"]
)
def test_the_portal_is_called_what_browsers_call_it(environment: dict[str, str], url: str) -> None:
    # A port that browsers leave out would lead them from here to here without end.
    assert read({**environment, "KUPYTERHUB_PORTAL_URL": url}).origin == "https://portal.example.org"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"KUPYTERHUB_IDENTITY": "none"}, "local, iap or oidc"),
        ({"KUPYTERHUB_IDENTITY": ""}, "KUPYTERHUB_IDENTITY is not set"),
        ({"KUPYTERHUB_IDENTITY": "iap", "KUPYTERHUB_IAP_AUDIENCE": ""}, "KUPYTERHUB_IAP_AUDIENCE is not set"),
        ({"KUPYTERHUB_IDENTITY": "local"}, "on this machine only"),
        (
            {"KUPYTERHUB_IDENTITY": "local", "KUPYTERHUB_PORTAL_URL": "http://localhost.example.org"},
            "on this machine only",
        ),
        ({"KUPYTERHUB_PORTAL_URL": "http://portal.example.org"}, "should be an https URL"),
        ({"KUPYTERHUB_PORTAL_URL": "https://portal.example.org/x"}, "with no path"),
        ({"KUPYTERHUB_PORTAL_URL": "https://portal.example.org/#x"}, "with no path"),
        ({"KUPYTERHUB_PORTAL_URL": "https://ada@portal.example.org"}, "with no path"),
        ({"KUPYTERHUB_PORTAL_URL": "https://portal.example.org:x"}, "PORTAL_URL"),
        ({"KUPYTERHUB_SESSION_KEY_FILE": "/nowhere"}, "No such file"),
    ],
)
def test_what_is_wrong_is_named(environment: dict[str, str], changed: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read({**environment, **changed})


def test_a_short_key_signs_nothing(environment: dict[str, str]) -> None:
    Path(environment["KUPYTERHUB_SESSION_KEY_FILE"]).write_text("k" * 31)
    with pytest.raises(SettingsError, match="less than 32 bytes"):
        read(environment)
