"""Where somebody wanted to go, as it comes back from a query that anybody may have written."""

import pytest

from kupyterhub_proxy.wanted import Wanted

NAME, PROOF = "ada-0123456789abcdef", "0" * 64


def test_it_survives_a_query() -> None:
    wanted = Wanted(NAME, PROOF, "/lab?a=1&b=2")
    assert Wanted.read(wanted.fields()) == wanted
    assert wanted.query(choose="1").endswith("&next=%2Flab%3Fa%3D1%26b%3D2&choose=1")


@pytest.mark.parametrize("host", ["", "login", "evil.example", "ada-0123456789abcdef.evil.example", "ada@x"])
def test_only_a_users_host_is_led_to(host: str) -> None:
    assert Wanted.read({"host": host, "proof": PROOF, "next": "/x"}) == Wanted()


@pytest.mark.parametrize("path", ["https://evil.example/", "lab", "/a b", "/a\r\nX: 1", "/" + "a" * 2048])
def test_only_a_path_is_led_to(path: str) -> None:
    assert Wanted.read({"host": NAME, "proof": PROOF, "next": path}).next == "/"


@pytest.mark.parametrize("proof", ["", "é" * 64, "0" * 63, "0" * 65])
def test_what_is_no_proof_is_none(proof: str) -> None:
    assert Wanted.read({"host": NAME, "proof": proof}).proof == ""
