"""Which of Google's service accounts may serve whom: the file that KUPYTERHUB_GOOGLE_AGENTS names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kupyterhub_proxy.environment import SettingsError
from kupyterhub_rules.names import is_name

if TYPE_CHECKING:
    from pathlib import Path

EVERYBODY = "*"
_FORM = '[{"serviceAccount": "<its e-mail>", "names": ["<name>", …] or "*"}, …]'


@dataclass(frozen=True, slots=True)
class Allowed:
    """Names of users by the e-mail of a service account; the name `*` stands for all. Empty: nobody."""

    names: dict[str, frozenset[str]]

    def may_serve(self, service_account: str, name: str) -> bool:
        """Whether an agent of this service account may be a user's backend."""
        return not self.names.get(service_account.lower(), frozenset()).isdisjoint({EVERYBODY, name})


def read_allowed(path: Path) -> Allowed:
    """Read the file; raises SettingsError."""
    try:
        entries = json.loads(path.read_text())
        return Allowed(dict(_entry(entry) for entry in entries))
    except OSError as error:
        raise SettingsError(f"KUPYTERHUB_GOOGLE_AGENTS {path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise SettingsError(f"KUPYTERHUB_GOOGLE_AGENTS {path}: {error}; it should be {_FORM}") from error


def _entry(entry: dict[str, Any]) -> tuple[str, frozenset[str]]:
    account, names = entry["serviceAccount"], entry["names"]
    if not isinstance(account, str) or "@" not in account:
        raise ValueError(f"{account!r} is no e-mail of a service account")
    if names == EVERYBODY:
        return account.lower(), frozenset({EVERYBODY})
    if not isinstance(names, list) or not all(isinstance(name, str) and is_name(name) for name in names):
        raise ValueError(f"the names of {account} are neither a list of users' names nor {EVERYBODY!r}")
    return account.lower(), frozenset(names)
