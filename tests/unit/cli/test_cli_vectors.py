"""Ids, names and hashes that others compute as well: what tests/vectors/ says."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kupyterhub_cli.domain.documents import observed
from kupyterhub_cli.domain.emails import base_name, document_id, normalise_email, split

VECTORS = Path(__file__).parents[2] / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


@pytest.mark.parametrize("vector", vectors("ids")["documents"], ids=lambda vector: vector["email"])
def test_ids(vector: dict[str, str]) -> None:
    email = normalise_email(vector["email"])
    assert email is not None
    assert document_id(email) == vector["id"]


@pytest.mark.parametrize("vector", vectors("names"), ids=lambda vector: vector["email"][:40])
def test_names(vector: dict[str, str | None]) -> None:
    email = normalise_email(vector["email"] or "")
    assert (email and base_name(email)) == vector["name"]


@pytest.mark.parametrize("vector", vectors("observed"), ids=lambda vector: vector["observed"])
def test_observed(vector: dict[str, Any]) -> None:
    document = dict(vector["document"])
    if "expiresAt" in document:
        document["expiresAt"] = datetime.fromisoformat(document["expiresAt"])
    assert observed(document) == vector["observed"]


def test_several_in_one_word_come_once_each() -> None:
    assert list(split(["a@x.y,b@x.y", "c@x.y; a@x.y", " ", "u-1"])) == ["a@x.y", "b@x.y", "c@x.y", "u-1"]
