"""The agent's environment."""

from datetime import timedelta

import pytest
from yarl import URL

from kupyterhub_agent.activity import ActivityRules
from kupyterhub_agent.settings import Everybody, Hosted, SettingsError, read

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
    assert settings.proxy.origin(settings.serves.name) == "http://ada-0123456789abcdef.localhost:8000"
    assert settings.serves.backend == URL("http://jupyterlab-ada-0123456789abcdef:8888")


def test_a_schemes_own_port_is_not_in_the_origin() -> None:
    settings = read({**ENVIRONMENT, "KUPYTERHUB_PROXY_URL": "https://agents.example.org:443/"})
    assert settings.proxy.origin("ada") == "https://ada.example.org"


def test_the_shared_agent_is_told_of_a_namespace_and_of_nobody() -> None:
    of_one = {"KUPYTERHUB_NAME", "KUPYTERHUB_USER", "KUPYTERHUB_EMAIL", "KUPYTERHUB_BACKEND", "KUPYTERHUB_TOKEN_FILE"}
    shared = {key: value for key, value in ENVIRONMENT.items() if key not in of_one}
    shared |= {"KUPYTERHUB_AGENT": "shared", "KUPYTERHUB_NAMESPACE": "kupyterhub"}
    shared |= {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert read(shared).serves == Everybody("kupyterhub", URL("https://10.0.0.1:443"))


def test_in_hosted_mode_there_is_a_topic_and_no_server() -> None:
    of_server = {"KUPYTERHUB_PROXY_URL", "KUPYTERHUB_PROXY_TOKEN_FILE"}
    bare = {key: value for key, value in ENVIRONMENT.items() if key not in of_server}
    settings = read({**bare, "KUPYTERHUB_PROXY": "hosted", "KUPYTERHUB_TOPIC": "projects/p/topics/t"})
    assert settings.proxy == Hosted("projects/p/topics/t")


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("proxy-agents:8443", "https://proxy-agents:8443"),
        ("http://proxy-agents:8000", "http://proxy-agents:8000"),
    ],
)
def test_the_servers_replicas_are_reached_as_the_server_unless_tls_ends_before_it(service: str, url: str) -> None:
    environment = {**ENVIRONMENT, "KUPYTERHUB_PROXY_URL": "https://agents.example.org"}
    assert read({**environment, "KUPYTERHUB_PROXY_SERVICE": service}).proxy.service == URL(url)


def test_activity_is_the_profiles() -> None:
    rules = read({**ENVIRONMENT, "KUPYTERHUB_IDLE_TIMEOUT": "3600", "KUPYTERHUB_ACTIVITY": "tabs"}).serves.activity
    assert rules == ActivityRules(timedelta(hours=1), kernels=False, terminals=False, tabs=True)


@pytest.mark.parametrize("variable", sorted(ENVIRONMENT))
def test_what_is_missing_is_named(variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read({key: value for key, value in ENVIRONMENT.items() if key != variable})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KUPYTERHUB_PROXY", "remote"),
        ("KUPYTERHUB_AGENT", "both"),
        ("KUPYTERHUB_PROXY_SERVICE", "http://x:port"),
        ("KUPYTERHUB_IDLE_TIMEOUT", "an hour"),
        ("KUPYTERHUB_ACTIVITY", "mouse"),
        ("KUPYTERHUB_PROXY_URL", "http://localhost:8000"),
        ("KUPYTERHUB_PROXY_URL", "agents.localhost"),
        ("KUPYTERHUB_BACKEND", "ftp://x"),
        ("KUPYTERHUB_BACKEND", "http://x:port"),
    ],
)
def test_what_is_wrong_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read({**ENVIRONMENT, variable: value})
