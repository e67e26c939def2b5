"""Which cookie of a request is the portal's own."""

import pytest
from werkzeug.test import EnvironBuilder

from kupyterhub_portal.cookies import Cookie

OWN = "__Host-kupyterhub-portal-session"


def read(header: str) -> str:
    request = EnvironBuilder(headers={"Cookie": header.encode().decode("latin-1")}).get_request()
    return Cookie("session", secure=True).read(request)


def test_it_is_found_among_others() -> None:
    assert read(f"a=1; {OWN}=mine;b=2") == "mine"
    assert read("a=1") == ""


@pytest.mark.parametrize("before", ["x=1 ", "x=1, ", "\u2000", "\u00a0", "\x0b", "x "])
def test_no_other_cookie_passes_for_it(before: str) -> None:
    """Browsers let any page of the domain set these: to them they are called otherwise."""
    assert read(f"{before}{OWN}=theirs") == ""
    assert read(f"{before}{OWN}=theirs; {OWN}=mine") == "mine"


def test_of_several_there_is_none() -> None:
    assert read(f"{OWN}=theirs; {OWN}=mine") == ""
