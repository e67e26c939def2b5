"""What the portal is told, and what is wrong with it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kupyterhub.domain.errors import SettingsError
from kupyterhub_portal.settings import Iap, SignInHost, read

SETTINGS = """
domain: example.org
allowedEmails: ["*"]
proxy: self-hosted
identity: {mode: oidc, issuer: "https://login.example.org", clientId: kupyterhub}
images: {agent: a, jupyterlab: j}
profiles: {default: {}}
"""
BY_IAP = {"mode": "iap", "audience": "/projects/1/global/backendServices/1"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    files = {"settings": SETTINGS, "key": "k" * 32}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return {
        "KUPYTERHUB_SETTINGS": str(tmp_path / "settings"),
        "KUPYTERHUB_PORTAL_URL": "https://portal.example.org/",
        "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key"),
    }


def test_our_sign_in_host_is_the_one_of_the_settings_and_no_key_is_shown(environment: dict[str, str]) -> None:
    found = read(environment)
    assert found.origin == "https://portal.example.org"
    assert found.identity == SignInHost("https://login.example.org")
    assert "kkk" not in repr(found)


def test_on_one_machine_it_is_one_of_that_machine(environment: dict[str, str]) -> None:
    settings = SETTINGS[: SETTINGS.index("proxy:")] + SETTINGS[SETTINGS.index("images:") :]
    Path(environment["KUPYTERHUB_SETTINGS"]).write_text(settings.replace("example.org", "localhost:8001"))
    found = read({**environment, "KUPYTERHUB_PORTAL_URL": "http://localhost:8000"})
    assert found.identity == SignInHost("http://login.localhost:8001")


@pytest.mark.parametrize(
    "changed", [{"proxy": "hosted", "identity": None}, {"identity": BY_IAP}], ids=["hosted", "iap"]
)
def test_behind_identity_aware_proxy_its_audience_has_to_be_known(
    environment: dict[str, str], changed: dict[str, Any]
) -> None:
    settings = {key: value for key, value in (yaml.safe_load(SETTINGS) | changed).items() if value}
    Path(environment["KUPYTERHUB_SETTINGS"]).write_text(yaml.safe_dump(settings))
    with pytest.raises(SettingsError, match="KUPYTERHUB_IAP_AUDIENCE is not set"):
        read(environment)
    assert read({**environment, "KUPYTERHUB_IAP_AUDIENCE": "/projects/1"}).identity == Iap("/projects/1")


@pytest.mark.parametrize(
    "url", ["https://portal.example.org:443", "https://PORTAL.example.org:", "https://portal.example.org:443/"]
)
def test_the_portal_is_called_what_browsers_call_it(environment: dict[str, str], url: str) -> None:
    # A port that browsers leave out would lead them from here to here without end.
    assert read({**environment, "KUPYTERHUB_PORTAL_URL": url}).origin == "https://portal.example.org"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"KUPYTERHUB_PORTAL_URL": "http://portal.example.org"}, "should be an https URL"),
        ({"KUPYTERHUB_PORTAL_URL": "http://localhost.example.org"}, "should be an https URL"),
        ({"KUPYTERHUB_PORTAL_URL": "ftp://localhost"}, "should be an https URL"),
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
