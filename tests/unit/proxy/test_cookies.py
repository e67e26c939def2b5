"""What a request's cookies are, and what a page of another host cannot make of them."""

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from kupyterhub_proxy.cookies import read

OWN = "__Host-kupyterhub-session"


def cookies(*headers: str) -> dict[str, str]:
    return dict(read(make_mocked_request("GET", "/", CIMultiDict([("Cookie", header) for header in headers]))))


def test_cookies_are_parted_at_semicolons() -> None:
    assert cookies(f"a=1; b=2;c=3=3;  {OWN}=mine") == {"a": "1", "b": "2", "c": "3=3", OWN: "mine"}
    assert cookies("a=1", "b=2") == {"a": "1", "b": "2"}
    assert cookies() == cookies("") == cookies(";;", "a") == {}


@pytest.mark.parametrize("space", [" ", ", ", "\u2000", "\u00a0", "\u0085", "\x1c", "\x0b", "\u3000"])
@pytest.mark.parametrize("before", ["x=1", "", "x"])
def test_no_other_cookie_passes_for_the_own_one(before: str, space: str) -> None:
    """Browsers let any page of the domain set these: to them they are called otherwise."""
    header = f"{before}{space}{OWN}=theirs; {OWN.upper()}=theirs; {OWN}\u2000=theirs"
    wanted = {} if before or space.strip(" ") else {OWN: "theirs"}

    assert {name: value for name, value in cookies(header).items() if name == OWN} == wanted
    assert cookies(f"{header}; {OWN}=mine").get(OWN) == (None if wanted else "mine")


def test_of_several_of_one_name_there_is_none() -> None:
    assert cookies(f"{OWN}=theirs; a=1; {OWN}=mine") == {"a": "1"}
