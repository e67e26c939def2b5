"""Kubernetes resource quantities, such as 500m or 2Gi, as numbers that can be compared."""

from fractions import Fraction

_UNITS = {
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000) ** power for power, unit in enumerate(["", "k", "M", "G", "T", "P", "E"])},
    **{f"{unit}i": Fraction(1024) ** power for power, unit in enumerate(["K", "M", "G", "T", "P", "E"], 1)},
}


def amount(quantity: str) -> Fraction:
    """The number that a quantity without exponent writes; raises ValueError, or KeyError for an unknown unit."""
    number = quantity.rstrip("mkMGTPEKi")
    return Fraction(number) * _UNITS[quantity[len(number) :]]
