"""Reading of environment variables, with errors that name them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(Exception):
    """The environment is incomplete or wrong; the text says which variable and what it should be."""


def required(environment: Mapping[str, str], variable: str) -> str:
    """Give a variable that must be there."""
    value = environment.get(variable, "").strip()
    if not value:
        raise SettingsError(f"{variable} is not set")
    return value


def file_bytes(environment: Mapping[str, str], variable: str) -> bytes:
    """Give what the file holds that a variable names, trimmed."""
    path = required(environment, variable)
    try:
        return Path(path).read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"{variable} {path}: {error.strerror}") from error
