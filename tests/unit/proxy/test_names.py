"""The server's own copy of the rule that gives an e-mail its name."""

import hashlib
import json
from pathlib import Path

import pytest

from kupyterhub_proxy.names import base_name, is_name, normalise_email

VECTORS = Path(__file__).parents[2] / "vectors" / "names.json"
LONGEST = "a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".example"  # 64 + 1 + 182 + 8 = 255


def test_names_are_those_that_the_controller_computes() -> None:
    for vector in json.loads(VECTORS.read_text()):
        email = normalise_email(vector["email"])
        assert (base_name(email) if email is not None else None) == vector["name"], vector


@pytest.mark.parametrize(
    ("email", "slug"),
    [
        ("ada@example.org", "ada-example-org"),
        ("a.d.a+x@example.org", "a-d-a-x-example-org"),
        ("!#$%&'*+/=?^_`{|}~-@e.org", "e-org"),
        ("a" * 34 + ".b@example.org", "a" * 34),
    ],
)
def test_a_name_is_slug_and_hash_and_a_label(email: str, slug: str) -> None:
    assert base_name(email) == f"{slug}-{hashlib.sha256(email.encode()).hexdigest()[:16]}"
    assert is_name(base_name(email))


@pytest.mark.parametrize(
    "text", ["", "a", "a@", "@b", "a@b@c", "a b@c.org", "ä@c.org", "a@c..org", ".a@c.org", LONGEST]
)
def test_what_is_no_email_has_no_name(text: str) -> None:
    assert normalise_email(text) is None


def test_emails_are_compared_trimmed_and_lower_case() -> None:
    assert normalise_email(" Ada@Example.ORG\n") == "ada@example.org"


@pytest.mark.parametrize(
    "label",
    [
        "login",
        "agents",
        "www",
        "ada",
        "ada-0123",
        "-0123456789abcdef",
        "ada_b-0123456789abcdef",
        "x" * 36 + "-0123456789abcdef",
    ],
)
def test_other_labels_are_no_names(label: str) -> None:
    assert not is_name(label)
