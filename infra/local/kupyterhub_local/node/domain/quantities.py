"""Kubernetes quantities such as `500m`, `1Gi` and `2e3` as exact numbers. Pure."""

import re
from fractions import Fraction

_QUANTITY = re.compile(r"^([+-]?[0-9.]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$")
_BINARY = {unit: 1 << 10 * power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)}
_DECIMAL: dict[str, int] = {unit: 1000**power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), start=1)}
_SMALL = {unit: Fraction(1, 1000**power) for power, unit in enumerate(("m", "u", "n"), start=1)}


def parse_quantity(text: str) -> Fraction:
    """Return the number that a quantity means.

    Raises ValueError for what is no quantity.
    """
    found = _QUANTITY.match(text)
    if found is None:
        raise ValueError(f"{text!r} is no quantity like 500m, 2 or 1Gi")
    number, unit = Fraction(found[1]), found[2] or ""
    if unit in _BINARY:
        return number * _BINARY[unit]
    if unit in _DECIMAL:
        return number * _DECIMAL[unit]
    if unit in _SMALL:
        return number * _SMALL[unit]
    return Fraction(found[1] + unit)
