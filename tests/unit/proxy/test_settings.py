"""The server's environment."""

from pathlib import Path

import pytest

from kupyterhub_proxy.environment import SettingsError
from kupyterhub_proxy.identities.settings import Iap, Local, Oidc
from kupyterhub_proxy.settings import Address, read

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


@pytest.fixture
def hosted(tmp_path: Path) -> dict[str, str]:
    """An environment for an organisation, which listens to everybody and has a key of its own."""
    (tmp_path / "key").write_bytes(b"k" * 32)
    return {
        **ENVIRONMENT,
        "KUPYTERHUB_DOMAIN": "hub.example",
        "KUPYTERHUB_LISTEN": "0.0.0.0:8000",
        "KUPYTERHUB_SESSION_KEY_FILE": str(tmp_path / "key"),
    }


@pytest.fixture
def iap(hosted: dict[str, str]) -> dict[str, str]:
    audience = "/projects/1/global/backendServices/2"
    return {**hosted, "KUPYTERHUB_IDENTITY": "iap", "KUPYTERHUB_IAP_AUDIENCE": audience}


@pytest.fixture
def oidc(hosted: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "secret").write_text("s3cret\n")
    return {
        **hosted,
        "KUPYTERHUB_IDENTITY": "oidc",
        "KUPYTERHUB_OIDC_ISSUER": "https://accounts.example",
        "KUPYTERHUB_OIDC_CLIENT_ID": "client",
        "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "secret"),
    }


def test_local_identity_is_one_of_three() -> None:
    assert read(ENVIRONMENT).identity == Local()
    with pytest.raises(SettingsError, match="local, iap or oidc"):
        read({**ENVIRONMENT, "KUPYTERHUB_IDENTITY": "ldap"})


def test_iap_wants_its_audience_and_takes_googles_keys(iap: dict[str, str]) -> None:
    assert read(iap).identity == Iap(iap["KUPYTERHUB_IAP_AUDIENCE"], "https://www.gstatic.com/iap/verify/public_key")


def test_oidc_reads_its_secret_from_a_file_and_shows_it_nowhere(oidc: dict[str, str]) -> None:
    settings = read(oidc)
    assert settings.identity == Oidc("https://accounts.example", "client", "s3cret")
    assert "s3cret" not in repr(settings)
    assert "kkk" not in repr(settings)


@pytest.mark.parametrize("mode", ["iap", "oidc"])
def test_an_organisations_server_is_https_and_listens_to_everybody(mode: str, request: pytest.FixtureRequest) -> None:
    settings = read(request.getfixturevalue(mode))
    assert settings.tls is None
    assert settings.hosts.login == "https://login.hub.example"


@pytest.mark.parametrize(
    ("mode", "variable"),
    [
        ("iap", "KUPYTERHUB_IAP_AUDIENCE"),
        ("iap", "KUPYTERHUB_SESSION_KEY_FILE"),
        ("oidc", "KUPYTERHUB_OIDC_ISSUER"),
        ("oidc", "KUPYTERHUB_OIDC_CLIENT_ID"),
        ("oidc", "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE"),
        ("oidc", "KUPYTERHUB_SESSION_KEY_FILE"),
    ],
)
def test_what_a_way_to_sign_in_lacks_is_named(mode: str, variable: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(SettingsError, match=variable):
        read({**request.getfixturevalue(mode), variable: ""})


def test_a_secret_that_cannot_be_read_or_is_empty_is_named(oidc: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"CLIENT_SECRET_FILE .*No such file"):
        read({**oidc, "KUPYTERHUB_OIDC_CLIENT_SECRET_FILE": str(tmp_path / "none")})
    (tmp_path / "secret").write_text("\n")
    with pytest.raises(SettingsError, match="CLIENT_SECRET_FILE is empty"):
        read(oidc)


@pytest.mark.parametrize("issuer", ["http://accounts.example", "accounts.example", "ftp://accounts.example"])
def test_a_provider_is_asked_over_https(oidc: dict[str, str], issuer: str) -> None:
    with pytest.raises(SettingsError, match="https"):
        read({**oidc, "KUPYTERHUB_OIDC_ISSUER": issuer})


def test_the_portal_is_known_by_its_origin_where_there_is_one() -> None:
    assert read(ENVIRONMENT).hosts.portal is None
    found = read({**ENVIRONMENT, "KUPYTERHUB_PORTAL_URL": "https://P.example/"})
    assert found.hosts.portal == "https://p.example"


@pytest.mark.parametrize(
    "url",
    [
        "p.example",
        "https://",
        "https://p.example/x",
        "https://p.example?x",
        "https://ada@p.example",
        "https://p.example:443",
        "ftp://p",
    ],
)
def test_a_portal_that_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="KUPYTERHUB_PORTAL_URL"):
        read({**ENVIRONMENT, "KUPYTERHUB_PORTAL_URL": url})


def test_nobody_is_vouched_for_to_a_portal_over_plain_http(oidc: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="https"):
        read({**oidc, "KUPYTERHUB_PORTAL_URL": "http://p.example"})
