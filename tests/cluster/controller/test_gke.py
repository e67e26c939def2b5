"""Credentials for GKE: Google's token, renewed before it ends, to an API server with an authority of its own."""

import json
from base64 import b64encode
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from urllib3 import HTTPSConnectionPool
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from cluster.controller.stand_ins import ApiServer, TokenEndpoint, serving
from kupyterhub.adapters import gke
from kupyterhub.adapters.cluster import Cluster, connect
from kupyterhub.domain.errors import SettingsError, TransientError
from kupyterhub.domain.settings import ClusterAccess
from kupyterhub_local.control_plane import pki
from kupyterhub_local.control_plane.pki import Pki


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return pki.ensure(tmp_path_factory.mktemp("gke") / "pki", IPv4Address("127.0.0.1"))


@pytest.fixture
def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenEndpoint]:
    tokens = TokenEndpoint()
    with serving(tokens):
        account = tmp_path / "account.json"
        account.write_text(json.dumps(tokens.account()))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))
        yield tokens


@pytest.fixture
def server(tokens: TokenEndpoint, certificates: Pki) -> Iterator[ApiServer]:
    server = ApiServer(tokens)
    with serving(server, certificates):
        yield server


def access(server: ApiServer, authority: Path) -> ClusterAccess:
    certificate = b64encode(authority.read_bytes()).decode()
    return ClusterAccess(name="main", endpoint=server.url, certificate_authority=certificate)


@pytest.fixture
def cluster(server: ApiServer, certificates: Pki) -> Iterator[Cluster]:
    with connect(gke.of_gke(access(server, certificates.ca))) as api:
        yield Cluster(api, "kupyterhub")


def test_requests_bear_googles_token_which_is_asked_for_once(
    cluster: Cluster, server: ApiServer, tokens: TokenEndpoint
) -> None:
    assert tokens.issued == []

    assert cluster.read_notebook("ada") is None
    assert cluster.read_notebook("bob") is None

    deployments = "/apis/apps/v1/namespaces/kupyterhub/deployments"
    assert server.asked == [f"{deployments}/jupyterlab-ada", f"{deployments}/jupyterlab-bob"]
    assert tokens.issued == ["token-1"]


def test_a_token_that_is_about_to_end_is_renewed(cluster: Cluster, server: ApiServer, tokens: TokenEndpoint) -> None:
    tokens.lifetime_seconds = 60
    cluster.read_notebook("ada")
    cluster.read_notebook("ada")

    assert tokens.issued == ["token-1", "token-2"]
    assert len(server.asked) == 2


def test_a_token_that_cannot_be_had_is_tried_again_and_no_secret_is_told(
    cluster: Cluster, tokens: TokenEndpoint
) -> None:
    tokens.refuses = True
    with pytest.raises(TransientError) as raised:
        cluster.read_notebook("ada")
    assert "secret" not in str(raised.value)

    tokens.refuses = False
    assert cluster.read_notebook("ada") is None


def test_a_token_that_is_refused_is_tried_again(cluster: Cluster, tokens: TokenEndpoint) -> None:
    cluster.read_notebook("ada")
    tokens.issued.append("revoked the former")

    with pytest.raises(TransientError, match="401 Unauthorized"):
        cluster.read_notebook("ada")


def test_a_server_of_another_authority_is_not_told_the_token(
    server: ApiServer, tmp_path: Path, tokens: TokenEndpoint
) -> None:
    other = pki.ensure(tmp_path / "other", IPv4Address("127.0.0.1"))
    with (
        connect(gke.of_gke(access(server, other.ca))) as api,
        pytest.raises(TransientError, match="Kubernetes is away"),
    ):
        Cluster(api, "kupyterhub").read_notebook("ada")
    assert server.asked == []


def test_settings_that_are_wrong_say_where(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"clusters\.main\.certificateAuthority"):
        gke.of_gke(ClusterAccess(name="main", endpoint=server.url, certificate_authority="no base64!"))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere.json")
    with pytest.raises(SettingsError, match=r"clusters\.main: no Google credentials"):
        gke.of_gke(ClusterAccess(name="main", endpoint=server.url))


def test_a_request_that_gets_no_answer_is_not_sent_again_by_the_client(server: ApiServer, certificates: Pki) -> None:
    # The platform delivers the event again; a look that waits four times would outlive its function.
    with connect(gke.of_gke(access(server, certificates.ca))) as api:
        late = ReadTimeoutError(HTTPSConnectionPool("localhost"), "/", "no answer")
        with pytest.raises(ReadTimeoutError):
            api.configuration.retries.increment("GET", "/", error=late)
        lost = api.configuration.retries.increment("GET", "/", error=ProtocolError("reset"))
        assert lost.total == api.configuration.retries.total - 1
