"""What a Host header means."""

import pytest

from kupyterhub_proxy.hosts import Hosts, Place

NAME = "ada-example-org-0123456789abcdef"
HOSTS = Hosts("http", "localhost:8000")


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ("login.localhost:8000", Place.LOGIN),
        ("LOGIN.LocalHost:8000", Place.LOGIN),
        ("agents.localhost:8000", Place.AGENTS),
        (f"{NAME}.localhost:8000", NAME),
        (f"{NAME.upper()}.localhost:8000", NAME),
        (f"{NAME}.localhost.:8000", NAME),
        ("", Place.UNKNOWN),
        (f"{NAME}.localhost..:8000", Place.UNKNOWN),
        (f"{NAME}.localhost:8000.", Place.UNKNOWN),
        ("localhost:8000", Place.UNKNOWN),
        ("127.0.0.1:8000", Place.UNKNOWN),
        (f"{NAME}.localhost", Place.UNKNOWN),
        (f"{NAME}.localhost:8001", Place.UNKNOWN),
        (f"{NAME}.evil.org", Place.UNKNOWN),
        (f"x.{NAME}.localhost:8000", Place.UNKNOWN),
        (f"login.{NAME}.localhost:8000", Place.UNKNOWN),
        ("www.localhost:8000", Place.UNKNOWN),
    ],
)
def test_each_host_has_its_place(header: str, place: Place | str) -> None:
    assert HOSTS.place(header) == place


def test_origins_have_the_port_and_the_audience_has_none() -> None:
    assert HOSTS.login == "http://login.localhost:8000"
    assert HOSTS.user(NAME) == f"http://{NAME}.localhost:8000"
    assert HOSTS.audience == "http://agents.localhost"


def test_the_portal_is_where_it_is_configured_to_be() -> None:
    assert Hosts("https", "example.org", "https://p.example").wanted("portal") == "https://p.example"
    assert HOSTS.wanted("portal") == "http://portal.localhost:8000"
    assert HOSTS.wanted(NAME) == HOSTS.user(NAME)
