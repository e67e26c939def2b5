"""Hashes, tokens and terms that others compute as well, or find people by."""

import json
from pathlib import Path

import pytest

from kupyterhub.domain.names import token, user_hash
from kupyterhub.domain.users import search_terms

IDS = json.loads((Path(__file__).parents[2] / "vectors/ids.json").read_text())


@pytest.mark.parametrize("vector", IDS["hashes"], ids=lambda vector: ascii(vector["id"]))
def test_hashes_of_ids(vector: dict[str, str]) -> None:
    assert user_hash(vector["id"]) == vector["hash"]


def test_the_token_depends_on_secret_and_name() -> None:
    assert len(token(b"k", "ada")) == 64
    assert len({token(b"k", "ada"), token(b"k", "bob"), token(b"l", "ada")}) == 3


def test_search_terms_are_trigrams_in_lower_case() -> None:
    assert search_terms("Ada", "adam", None, 7, "xy") == ("ada", "dam")


def test_search_terms_of_a_long_text_are_bounded() -> None:
    assert len(search_terms("".join(chr(0x4E00 + number) for number in range(5000)))) == 500
