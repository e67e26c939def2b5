"""Names, ids and hashes that others compute as well: what tests/vectors/ says."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from google.cloud.firestore import GeoPoint
from hypothesis import given
from hypothesis import strategies as st

from kupyterhub_rules.names import base_name, document_id, is_name, normalise_email
from kupyterhub_rules.stored import observed

VECTORS = Path(__file__).parents[2] / "vectors"
ATEXT = "abcxyzABCXYZ0189!#$%&'*+/=?^_`{|}~-"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


@pytest.mark.parametrize("vector", vectors("names"), ids=lambda vector: vector["email"][:40])
def test_names(vector: dict[str, str | None]) -> None:
    email = normalise_email(vector["email"] or "")
    assert (email and base_name(email)) == vector["name"]


@pytest.mark.parametrize("vector", vectors("ids")["documents"], ids=lambda vector: vector["email"])
def test_ids_of_documents(vector: dict[str, str]) -> None:
    email = normalise_email(vector["email"])
    assert email is not None
    assert document_id(email) == vector["id"]


@pytest.mark.parametrize("vector", vectors("observed"), ids=lambda vector: vector["observed"])
def test_observed(vector: dict[str, Any]) -> None:
    stored = dict(vector["document"])
    if "expiresAt" in stored:
        stored["expiresAt"] = datetime.fromisoformat(stored["expiresAt"])
    assert observed(stored) == vector["observed"]


def test_observed_is_of_the_moment_and_not_of_its_zone() -> None:
    moment = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=5, minutes=30)))

    assert observed({"expiresAt": moment}) == observed({"expiresAt": elsewhere})


@pytest.mark.parametrize("value", [GeoPoint, object, bytes, list], ids=lambda kind: kind.__name__)
def test_observed_of_any_value_is_the_same_in_every_look(value: Any) -> None:
    def read() -> Any:
        return GeoPoint(1, 2) if value is GeoPoint else value()

    assert observed({"image": read()}) == observed({"image": read()})


@pytest.mark.parametrize(
    "text",
    ["", "@", "a", "a@", "@b", "a b@c.d", "a@b c", ".a@b.c", "a.@b.c", "a..b@c.d", "a@b..c", "a@-b.c", "a@b-.c",
     "ä@b.c", "a@ü.de", 'a"b@c.d', "a@b@c.d", "a@[127.0.0.1]", "a\n@b.c", "a@" + "b" * 64, "a" * 251 + "@b.c"],
)  # fmt: skip
def test_what_is_no_email(text: str) -> None:
    assert normalise_email(text) is None


local_parts = st.text(ATEXT, min_size=1, max_size=64)
domains = st.from_regex(
    r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,4}", fullmatch=True
)


@given(local_parts, domains)
def test_every_email_has_a_name_that_is_a_dns_label_with_its_prefix(local: str, domain: str) -> None:
    email = normalise_email(f"{local}@{domain}")
    assert email is not None
    label = f"jupyterlab-{base_name(email)}"
    assert len(label) <= 63
    assert label.strip("-") == label
    assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_emails_that_slug_to_the_same_text_have_distinct_names() -> None:
    emails = ["a.b@example.com", "a-b@example.com", "a+b@example.com", "a_b@example.com", "a.b@example-com"]

    assert len({base_name(email) for email in emails}) == len(emails)


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
