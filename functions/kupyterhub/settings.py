"""Reads kupyterhub.yaml and the master secret once, at start, and says what is wrong with them."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from kupyterhub.domain.contradictions import contradictions
from kupyterhub.domain.errors import SettingsError
from kupyterhub.domain.settings import Settings


def parse(text: str, *, source: str = "kupyterhub.yaml") -> Settings:
    """Validate the text of kupyterhub.yaml.

    Raises SettingsError that names every wrong field by its path, such as `profiles.default.cpu`.
    """
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise SettingsError(f"{source} is not YAML: {e}") from e
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as e:
        wrong = [
            (".".join(map(str, error["loc"])) or "(the file)", error["msg"])
            for error in e.errors(include_input=False, include_url=False)
        ]
        raise _unusable(source, wrong) from e
    if wrong := list(contradictions(settings)):
        raise _unusable(source, wrong)
    return settings


def _unusable(source: str, wrong: list[tuple[str, str]]) -> SettingsError:
    return SettingsError("\n".join([f"{source} cannot be used:", *(f"  {path}: {what}" for path, what in wrong)]))


def load(path: Path) -> Settings:
    """Read and validate kupyterhub.yaml; raises SettingsError."""
    try:
        return parse(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeDecodeError) as e:
        raise SettingsError(f"the settings {path} cannot be read: {e}") from e


def load_master_secret(path: Path) -> bytes:
    """The key of every notebook's token: the file's bytes without trailing newlines; raises SettingsError."""
    try:
        secret = path.read_bytes().rstrip(b"\n")
    except OSError as e:
        raise SettingsError(f"the master secret {path} cannot be read: {e.strerror}") from e
    if len(secret) < 32:  # noqa: PLR2004 - 256 bits, said in the message
        raise SettingsError(f"the master secret {path} is shorter than 32 bytes; make one with: openssl rand -hex 32")
    return secret
