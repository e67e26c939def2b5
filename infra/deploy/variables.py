# ruff: noqa: INP001 - a script, of no package
"""Reads an installation's decisions, installation.yaml: the variables of both of Terraform's roots, by their names.

variables.py FILE           says what is wrong with it, if anything is
variables.py FILE FOLDER    writes what a build goes by: FOLDER/data.tfvars.json and system.tfvars.json, and
                            FOLDER/smoke-emails, the two people that a release is tried with
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

ROOTS = Path(__file__).resolve().parents[1] / "gcp"
BY_THE_DEPLOY = {"functions_archive", "image_tag", "state_bucket"}
NEEDED = ("allowed_emails", "firestore_location", "project_id", "region")
_POOL = {"machine_type": str, "max_nodes": int, "min_nodes": int, "disk_gb": int, "gpu": {"type": str, "count": int}}
KINDS: dict[str, Any] = {
    "allowed_emails": [str],
    "admins": [str],
    "domain": str,
    "firestore_location": str,
    "identity": {"*": str},
    "notebook_pools": {"*": _POOL},
    "portal": dict,
    "project_id": str,
    "proxy": str,
    "region": str,
    "system_pool": _POOL,
}
"""Of what is read here and by the command; all else is Terraform's to judge."""
EXAMPLES = {
    "allowed_emails": '["*@example.com"]',
    "admins": '["you@example.com"]',
    "domain": "notebooks.example.com",
    "firestore_location": "europe-west1",
    "identity": "{mode: oidc, issuer: https://accounts.google.com, client_id: …}",
    "notebook_pools": "{default: {machine_type: e2-standard-8, max_nodes: 10}}",
    "portal": "{}",
    "project_id": "my-project",
    "proxy": "hosted",
    "region": "europe-west1",
    "system_pool": "{machine_type: e2-standard-4, max_nodes: 6}",
}
SMOKE = "smoke_emails"
"""No variable of Terraform's: two e-mails that `allowed_emails` lets in, and that are nobody's."""


class WrongDecision(Exception):
    """What is wrong with the file, and what to do."""


def declared(root: str) -> set[str]:
    """Names of a root's variables."""
    return set(re.findall(r'^variable "(\w+)"', (ROOTS / root / "variables.tf").read_text(), re.MULTILINE))


def read(text: str) -> dict[str, Any]:
    """Read the file; raises WrongDecision. What is left empty is left out, and has its default."""
    try:
        decisions = yaml.load(text, _OnceEach)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, RecursionError) as error:
        # By the others PyYAML says of a value that it is none of the kind that it looks like.
        raise WrongDecision(f"This is no YAML: {error}") from error
    if not isinstance(decisions, dict) or not all(isinstance(name, str) for name in decisions):
        raise WrongDecision("Write one `name: value` for each decision; `kupyterhub init` makes such a file.")
    _check_names(decisions)
    kept = {name: value for name, value in decisions.items() if value is not None}
    for name in NEEDED:
        if not kept.get(name):
            raise WrongDecision(f"{name} is missing.")
    _check_values(kept)
    return kept


def _check_names(decisions: Mapping[str, Any]) -> None:
    known = declared("data") | declared("system") | {SMOKE}
    for name in sorted(decisions):
        if name in BY_THE_DEPLOY:
            raise WrongDecision(f"{name} is given by the deploy. Take it out.")
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f" Is {close[0]} meant?" if close else ""
            raise WrongDecision(f"{name} is no variable of infra/gcp.{hint}")


def _check_values(kept: Mapping[str, Any]) -> None:
    for name, kind in KINDS.items():
        if not _fits(kept.get(name), kind):
            raise WrongDecision(f"{name} is not what it should be, which is such as {EXAMPLES[name]}")
    if kept.get("proxy", "self-hosted") != "hosted" and not kept.get("domain"):
        raise WrongDecision("domain is missing: where people reach their notebooks. Or write proxy: hosted")
    try:
        json.dumps(kept, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise WrongDecision("Something is a date, no number, or a part of itself. Put quotes around it.") from error


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value, if there is one, is of a kind: a type, a list of one, or a mapping of names to kinds."""
    if value is None:
        return True
    if isinstance(kind, list):
        return isinstance(value, list) and all(each and _fits(each, kind[0]) for each in value)
    if isinstance(kind, dict):
        named = isinstance(value, dict)
        return named and all(_fits(each, kind.get(name, kind.get("*", object))) for name, each in value.items())
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


class _OnceEach(yaml.SafeLoader):
    """Refuses a name that stands twice: which of the two is meant nobody can say."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        for name in names:
            if names.count(name) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{name} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def smoke_emails(decisions: Mapping[str, Any]) -> tuple[str, str]:
    """Two people to try a release with: those named, or two of a domain that is let in; raises WrongDecision."""
    allowed = decisions["allowed_emails"]
    match decisions.get(SMOKE):
        case [str(one), str(other)] if one != other and "@" in one and "@" in other:
            for each in (one, other):
                if not any(fnmatchcase(each.lower(), pattern.lower()) for pattern in allowed):
                    raise WrongDecision(
                        f"{each} is one of {SMOKE}, and allowed_emails does not let them in. Add them."
                    )
            return one, other
        case None if decisions.get("proxy") != "hosted":
            domains = [each[2:] for each in allowed if re.fullmatch(r"\*@[^@*?\s]+", str(each))]
            if domains:
                return f"kupyterhub-smoke-a@{domains[0]}", f"kupyterhub-smoke-b@{domains[0]}"
    raise WrongDecision(
        f"{SMOKE} is wanted: two addresses that allowed_emails lets in and that are nobody's, such as "
        f"{SMOKE}: [smoke-a@example.com, smoke-b@example.com]. Each release is tried with them. With proxy: hosted "
        "take two Google accounts that exist and have no notebook."
    )


def check_told(decisions: Mapping[str, Any], told: Mapping[str, str]) -> None:
    """Raises WrongDecision where a build is told of another project or region than the file names."""
    for name, variable in (("project_id", "PROJECT"), ("region", "REGION")):
        if told.get(variable, decisions[name]) != decisions[name]:
            raise WrongDecision(f"{name} is {decisions[name]}, and the build is for {told[variable]}.")


def split(decisions: Mapping[str, Any]) -> dict[str, str]:
    """Texts of the files that a build goes by, by name."""
    roots = {
        f"{root}.tfvars.json": json.dumps(
            {name: value for name, value in sorted(decisions.items()) if name in declared(root)}, indent=2
        )
        for root in ("data", "system")
    }
    return {**roots, "smoke-emails": " ".join(smoke_emails(decisions))}


def main(file: Path, folder: Path | None = None) -> None:
    """Do what the command line asks for; raises WrongDecision."""
    decisions = read(file.read_text(encoding="utf-8"))
    files = split(decisions)
    if folder:
        check_told(decisions, os.environ)
        for name, text in files.items():
            (folder / name).write_text(f"{text}\n")


if __name__ == "__main__":
    try:
        main(*map(Path, sys.argv[1:]))
    except (OSError, UnicodeDecodeError, WrongDecision) as error:
        sys.exit(f"installation.yaml: {error}")
