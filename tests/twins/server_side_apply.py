"""Server-side apply with one manager that forces: what it stated before and no longer states goes."""

from copy import deepcopy
from typing import Any

Object = dict[str, Any]


def merged(live: Object, before: Object, applied: Object) -> Object:
    """`live` after a manager that had applied `before` applies `applied`; lists are taken as a whole."""
    result = {key: deepcopy(value) for key, value in live.items() if key in applied or key not in before}
    for key, value in applied.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            earlier = before.get(key)
            result[key] = merged(result[key], earlier if isinstance(earlier, dict) else {}, value)
        else:
            result[key] = deepcopy(value)
    return result


def fits(labels: dict[str, str], selector: str) -> bool:
    """Whether labels fit a selector of `key=value`, `key` and `!key`, joined by commas."""
    return all(_fits(labels, term) for term in selector.split(",") if term)


def _fits(labels: dict[str, str], term: str) -> bool:
    if term.startswith("!"):
        return term[1:] not in labels
    key, equals, value = term.partition("=")
    return labels.get(key) == value if equals else key in labels
