"""The agent's environment."""

import pytest
from yarl import URL

from kupyterhub_agent.settings import SettingsError, read

ENVIRONMENT = {
    "KUPYTERHUB_PROXY": "local",
    "KUPYTERHUB_PROXY_URL": "http://agents.localhost:8000",
    "KUPYTERHUB_NAME": "ada-0123456789abcdef",
    "KUPYTERHUB_USER": "u-é",
    "KUPYTERHUB_EMAIL": "ada@example.org",
    "KUPYTERHUB_BACKEND": "http://jupyterlab-ada-0123456789abcdef:8888",
    "KUPYTERHUB_TOKEN_FILE": "/token",
    "KUPYTERHUB_PROXY_TOKEN_FILE": "/proxy-token",
    "POD_IP": "127.1.2.3",
    "POD_UID": "uid",
}


def test_the_users_url_is_derived_from_the_proxys() -> None:
    settings = read(ENVIRONMENT)
    assert settings.origin == "http://ada-0123456789abcdef.localhost:8000"
    assert settings.backend == URL("http://jupyterlab-ada-0123456789abcdef:8888")


def test_a_schemes_own_port_is_not_in_the_origin() -> None:
    settings = read({**ENVIRONMENT, "KUPYTERHUB_PROXY_URL": "https://agents.example.org:443/"})
    assert settings.origin == "https://ada-0123456789abcdef.example.org"


@pytest.mark.parametrize("variable", sorted(ENVIRONMENT))
def test_what_is_missing_is_named(variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read({key: value for key, value in ENVIRONMENT.items() if key != variable})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KUPYTERHUB_PROXY", "hosted"),
        ("KUPYTERHUB_PROXY_URL", "http://localhost:8000"),
        ("KUPYTERHUB_PROXY_URL", "agents.localhost"),
        ("KUPYTERHUB_BACKEND", "ftp://x"),
        ("KUPYTERHUB_BACKEND", "http://x:port"),
    ],
)
def test_what_is_wrong_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read({**ENVIRONMENT, variable: value})
