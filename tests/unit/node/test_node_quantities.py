"""Kubernetes quantities."""

from fractions import Fraction

import pytest

from kupyterhub_local.node.domain.quantities import parse_quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        ("500m", Fraction(1, 2)),
        ("1Gi", 1024**3),
        ("1.5k", 1500),
        ("2e3", 2000),
        ("1E", 10**18),
        ("1Ki", 1024),
        ("100n", Fraction(1, 10**7)),
    ],
)
def test_a_quantity_is_its_number(text: str, number: Fraction) -> None:
    assert parse_quantity(text) == number


@pytest.mark.parametrize("text", ["", "x", "1 Gi", "1gi", "."])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|Fraction"):
        parse_quantity(text)
