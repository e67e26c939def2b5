"""The server's environment."""

from pathlib import Path

import pytest

from kupyterhub_proxy.settings import Address, SettingsError, read

ENVIRONMENT = {
    "KUPYTERHUB_DOMAIN": "localhost:8000",
    "KUPYTERHUB_IDENTITY": "local",
    "KUPYTERHUB_ADMINS_FILE": "/admins",
    "KUPYTERHUB_AGENT_ISSUERS": "/issuers.json",
    "KUPYTERHUB_TOPIC": "projects/p/topics/agent-events",
    "KUPYTERHUB_LISTEN": "127.0.0.1:8000",
    "KUPYTERHUB_HEALTH_LISTEN": "127.0.0.1:8081",
}


def test_a_whole_environment_is_read() -> None:
    settings = read(ENVIRONMENT)
    assert settings.listen == Address("127.0.0.1", 8000)
    assert settings.hosts.login == "http://login.localhost:8000"
    assert len(settings.session_key) == 32


@pytest.mark.parametrize("variable", sorted(ENVIRONMENT))
def test_what_is_missing_is_named(variable: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read({**ENVIRONMENT, variable: ""})


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:8000", "[::]:8000", "192.0.2.1:8000", "localhost:8000", "example.org:8000"]
)
def test_local_identity_listens_on_loopback_only(listen: str) -> None:
    with pytest.raises(SettingsError, match="loopback"):
        read({**ENVIRONMENT, "KUPYTERHUB_LISTEN": listen})


@pytest.mark.parametrize("listen", ["127.0.0.1:8000", "127.3.4.5:8000", "[::1]:8000"])
def test_every_loopback_address_will_do(listen: str) -> None:
    assert read({**ENVIRONMENT, "KUPYTERHUB_LISTEN": listen}).listen.port == 8000


@pytest.mark.parametrize("listen", ["8000", ":8000", "127.0.0.1", "127.0.0.1:http"])
def test_an_address_is_host_and_port(listen: str) -> None:
    with pytest.raises(SettingsError, match=r"host:port"):
        read({**ENVIRONMENT, "KUPYTERHUB_LISTEN": listen})


def test_a_certificate_comes_with_its_key_and_makes_https() -> None:
    with pytest.raises(SettingsError, match="together"):
        read({**ENVIRONMENT, "KUPYTERHUB_TLS_CERT_FILE": "/cert"})
    both = {"KUPYTERHUB_TLS_CERT_FILE": "/cert", "KUPYTERHUB_TLS_KEY_FILE": "/key"}
    assert read({**ENVIRONMENT, **both}).hosts.scheme == "https"


def test_a_session_key_is_read_and_must_be_long(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"k" * 40 + b"\n")
    assert read({**ENVIRONMENT, "KUPYTERHUB_SESSION_KEY_FILE": str(key)}).session_key == b"k" * 40
    key.write_bytes(b"short")
    with pytest.raises(SettingsError, match="32 bytes"):
        read({**ENVIRONMENT, "KUPYTERHUB_SESSION_KEY_FILE": str(key)})
