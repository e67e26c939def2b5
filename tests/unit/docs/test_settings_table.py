"""docs/settings.md names every setting with its default, and no other."""

import re
import types
import typing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from kupyterhub.domain.settings import Settings

PAGE = Path(__file__).parents[3] / "docs/settings.md"
FORMS = {tuple: "[]", dict: ".<name>"}


def settings_of(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Every key of the tree as the page writes it, with its default; `...` where it is required."""
    found: dict[str, Any] = {}
    for field in model.model_fields.values():
        path = f"{prefix}{field.alias}"
        inner, form = part_of(field.annotation)
        if inner:
            found |= settings_of(inner, f"{path}{form}.")
        else:
            found[path] = ... if field.is_required() else field.default
    return found


def part_of(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """The part of the tree that a field holds, and how the page writes that there are several."""
    origin = typing.get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    if origin in (None, types.UnionType):
        return None, ""
    for argument in typing.get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument, FORMS[origin]
    return None, ""


def rows() -> dict[str, str]:
    """The page's table: key and default, as they are written."""
    return dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE))


def as_written(default: Any) -> str:
    match default:
        case timedelta():
            return f"`{int(default.total_seconds() // 60)}m`"
        case (_, *_):
            return ", ".join(f"`{each}`" for each in default)
        case str():
            return f"`{default}`"
        case int() | float() if default:
            return f"`{default}`"
        case _ if default is ...:
            return "required"
        case _:
            return "none"


def test_the_page_names_every_setting_and_no_other() -> None:
    assert rows().keys() == settings_of(Settings).keys()


# These two say where the value comes from instead.
@pytest.mark.parametrize(
    "key", sorted(settings_of(Settings).keys() - {"profiles.<name>.image", "identity.mode"}), ids=str
)
def test_the_page_says_the_default(key: str) -> None:
    assert rows()[key].strip() == as_written(settings_of(Settings)[key])
