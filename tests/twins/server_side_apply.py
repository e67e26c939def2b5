"""Server-side apply with one manager that forces: what it stated before and no longer states goes."""

import json
from typing import Any

Object = dict[str, Any]


def copied(value: Any) -> Any:
    """What `copy.deepcopy` makes of JSON, five times as fast: histories are long."""
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


def merged(live: Object, before: Object, applied: Object) -> Object:
    """`live` after a manager that had applied `before` applies `applied`; lists are taken as a whole."""
    result = {key: copied(value) for key, value in live.items() if key in applied or key not in before}
    for key, value in applied.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            earlier = before.get(key)
            result[key] = merged(result[key], earlier if isinstance(earlier, dict) else {}, value)
        else:
            result[key] = copied(value)
    return result


def owned_by(manager: str, applied: Object) -> list[Object]:
    """`managedFields` of an object that a manager alone has stated."""
    stated = {key: value for key, value in applied.items() if key not in ("apiVersion", "kind")}
    stated["metadata"] = {part: applied["metadata"].get(part, {}) for part in ("labels", "annotations")}
    return [{"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": _fields(stated)}]


def taken(fields: Object, patch: Object) -> Object:
    """Fields that are left to their owner once somebody else has changed what a patch says."""
    left = dict(fields)
    for key, value in patch.items():
        name = f"f:{key}"
        if name not in left:
            continue
        rest = taken(left[name], value) if isinstance(value, dict) and left[name] else {}
        if rest:
            left[name] = rest
        else:
            del left[name]
    return left


def _fields(stated: Any) -> Object:
    if isinstance(stated, dict):
        return {f"f:{key}": _fields(value) for key, value in stated.items()}
    if isinstance(stated, list) and stated and all(isinstance(each, dict) and "name" in each for each in stated):
        return {f"k:{json.dumps({'name': each['name']})}": _fields(each) for each in stated}
    return {}


def fits(labels: dict[str, str], selector: str) -> bool:
    """Whether labels fit a selector of `key=value`, `key` and `!key`, joined by commas."""
    return all(_fits(labels, term) for term in selector.split(",") if term)


def _fits(labels: dict[str, str], term: str) -> bool:
    if term.startswith("!"):
        return term[1:] not in labels
    key, equals, value = term.partition("=")
    return labels.get(key) == value if equals else key in labels
